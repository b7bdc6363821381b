#include "causeway/datapath/virtio_header.h"

#include "causeway/base/fd.h"
#include "causeway/datapath/tun_port.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <array>
#include <cstring>

namespace causeway::datapath {
namespace {

/// The bytes of struct virtio_net_hdr; the 16-bit numbers are in the order of this machine.
std::array<std::byte, virtio_header_size> raw(std::uint8_t flags, std::uint8_t type,
                                              std::array<std::uint16_t, 4> numbers = {}) {
    std::array<std::byte, virtio_header_size> bytes;
    bytes[0] = std::byte{flags};
    bytes[1] = std::byte{type};
    std::memcpy(bytes.data() + 2, numbers.data(), sizeof numbers);
    return bytes;
}

}  // namespace

TEST_CASE("a virtio header says how to cut and what to sum") {
    const auto header = read_virtio_header(raw(1, 0x81, {52, 1'382, 20, 16}));
    REQUIRE(header);
    CHECK(*header == VirtioHeader{.needs_checksum = true,
                                  .segmentation = Segmentation::tcp4,
                                  .has_ecn = true,
                                  .header_size = 52,
                                  .segment_size = 1'382,
                                  .checksum_start = 20,
                                  .checksum_offset = 16});
    CHECK(read_virtio_header(raw(0, 4))->segmentation == Segmentation::tcp6);
    CHECK(read_virtio_header(raw(0, 5))->segmentation == Segmentation::udp);
    CHECK(*read_virtio_header(raw(0, 0)) == VirtioHeader{});
    // "The checksum is right" asks for nothing.
    CHECK(*read_virtio_header(raw(2, 0)) == VirtioHeader{});
}

TEST_CASE("every virtio header is written as it is read") {
    for (const std::uint8_t type : std::to_array<std::uint8_t>({0, 1, 4, 5, 0x81, 0x84})) {
        for (const std::uint8_t flags : std::to_array<std::uint8_t>({0, 1})) {
            const auto bytes = raw(flags, type, {66, 1'400, 40, 6});
            std::array<std::byte, virtio_header_size> written;
            write_virtio_header(*read_virtio_header(bytes), written);
            CHECK(written == bytes);
        }
    }
}

TEST_CASE("what was never asked for, and what is cut, is malformed") {
    // UDP fragmentation, and numbers that mean nothing yet.
    for (const std::uint8_t type : std::to_array<std::uint8_t>({2, 3, 6, 0x20, 0x40, 0x7f}))
        CHECK(read_virtio_header(raw(0, type)).error() == Drop::malformed);
    const auto whole = raw(0, 0);
    for (std::size_t size = 0; size < whole.size(); ++size)
        CHECK(read_virtio_header(ByteView(whole).first(size)).error() == Drop::malformed);
}

TEST_CASE("what is no TUN is refused with what the kernel said") {
    CHECK(TunPort::open(-1).error().fact("errno") == "EBADF");
    std::array<int, 2> ends{};
    REQUIRE(pipe(ends.data()) == 0);
    const Fd reading(ends[0]), writing(ends[1]);
    CHECK(TunPort::open(ends[0]).error().fact("errno") == "ENOTTY");
}

}  // namespace causeway::datapath
