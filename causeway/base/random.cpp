#include "causeway/base/random.h"

#include <sys/random.h>

#include <cerrno>
#include <stdexcept>

namespace causeway {

void fill_random(std::span<std::byte> bytes) {
    while (!bytes.empty()) {
        const auto count = getrandom(bytes.data(), bytes.size(), 0);
        if (count < 0 && errno == EINTR) continue;
        // The kernel's generator does not fail once it is seeded; without it nothing here is safe.
        if (count < 0) throw std::runtime_error("getrandom failed");
        bytes = bytes.subspan(static_cast<std::size_t>(count));
    }
}

Bytes random_bytes(std::size_t count) {
    Bytes bytes(count);
    fill_random(bytes);
    return bytes;
}

std::uint64_t random_64() {
    std::uint64_t number = 0;
    fill_random(std::as_writable_bytes(std::span(&number, 1)));
    return number;
}

std::uint64_t random_below(std::uint64_t bound) {
    const std::uint64_t limit = ~std::uint64_t{0} - ~std::uint64_t{0} % bound;
    while (true) {
        const auto number = random_64();
        if (number < limit) return number % bound;
    }
}

}  // namespace causeway
