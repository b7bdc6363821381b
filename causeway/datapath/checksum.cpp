#include "causeway/datapath/checksum.h"

#include <bit>
#include <cstring>

namespace causeway::datapath {
namespace {

std::uint64_t load_64(const std::byte* from) {
    std::uint64_t word;
    std::memcpy(&word, from, sizeof word);
    return word;
}

/// a + b with the carry added again. The sum does not depend on the width of the numbers or on
/// their byte order (RFC 1071 section 2), so it is made of the widest the machine adds at once.
std::uint64_t add(std::uint64_t a, std::uint64_t b) {
    const std::uint64_t sum = a + b;
    return sum + (sum < a ? 1 : 0);
}

std::uint16_t fold(std::uint64_t sum) {
    sum = (sum >> 32) + (sum & 0xffffffff);
    sum = (sum >> 32) + (sum & 0xffffffff);
    sum = (sum >> 16) + (sum & 0xffff);
    sum = (sum >> 16) + (sum & 0xffff);
    return static_cast<std::uint16_t>(sum);
}

}  // namespace

std::uint16_t internet_sum(ByteView bytes) {
    const std::byte* at = bytes.data();
    std::size_t left = bytes.size();
    // Four sums side by side: none waits for the carry of another.
    std::uint64_t a = 0, b = 0, c = 0, d = 0;
    for (; left >= 32; at += 32, left -= 32) {
        a = add(a, load_64(at));
        b = add(b, load_64(at + 8));
        c = add(c, load_64(at + 16));
        d = add(d, load_64(at + 24));
    }
    for (; left >= 8; at += 8, left -= 8) a = add(a, load_64(at));
    if (left > 0) {
        std::uint64_t last = 0;
        std::memcpy(&last, at, left);
        b = add(b, last);
    }
    const std::uint16_t sum = fold(add(add(a, b), add(c, d)));
    if constexpr (std::endian::native == std::endian::little) return __builtin_bswap16(sum);
    return sum;
}

std::uint16_t pseudo_header_sum(ByteView addresses, std::uint8_t protocol) {
    return add_sums(internet_sum(addresses), protocol);
}

void write_header_checksum(std::span<std::byte> header) {
    write_16(header.subspan(10), 0);
    write_16(header.subspan(10), static_cast<std::uint16_t>(~internet_sum(header)));
}

}  // namespace causeway::datapath
