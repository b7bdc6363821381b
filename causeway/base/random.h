// Random numbers from the kernel (getrandom(2)), for names and keys alike.

#pragma once

#include "causeway/base/bytes.h"

#include <cstdint>

namespace causeway {

void fill_random(std::span<std::byte> bytes);
Bytes random_bytes(std::size_t count);
std::uint64_t random_64();
/// Uniform in [0, bound); `bound` must not be 0.
std::uint64_t random_below(std::uint64_t bound);

}  // namespace causeway
