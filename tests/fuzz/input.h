// What the fuzz targets share: the input as text, cut into the pieces that its first bytes ask for.

#pragma once

#include "causeway/base/bytes.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string_view>

namespace causeway::fuzz {

inline ByteView view(const std::uint8_t* data, std::size_t size) {
    return std::as_bytes(std::span(data, size));
}
inline std::string_view text(const std::uint8_t* data, std::size_t size) {
    return as_text(view(data, size));
}

/// What must be true whatever came in.
inline void require(bool holds) {
    if (!holds) std::abort();
}

/// Hands `bytes` over in pieces of `step` bytes (1 when that is 0).
template <typename Feed>
void in_pieces(ByteView bytes, std::size_t step, Feed feed) {
    step = std::max<std::size_t>(step, 1);
    for (std::size_t at = 0; at < bytes.size(); at += step)
        feed(bytes.subspan(at, std::min(step, bytes.size() - at)));
}

}  // namespace causeway::fuzz
