// What the tests of this layer share: feeding in all cuts, and telling a failure as a story.

#pragma once

#include "causeway/base/bytes.h"
#include "causeway/error/error.h"
#include "causeway/error/names.h"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>

namespace causeway::protocol {

/// "negotiationFailed: words <- errSSLDecodeError: words"
inline std::string story(const Error& error) {
    std::string text = code_name(error.code);
    if (!error.detail.empty()) text += ": " + error.detail;
    if (error.cause) text += " <- " + story(*error.cause);
    return text;
}

/// Hands `stream` over in pieces of `step` bytes.
template <typename Feed>
void in_pieces(std::string_view stream, std::size_t step, Feed feed) {
    for (std::size_t at = 0; at < stream.size(); at += step)
        feed(as_bytes(stream.substr(at, std::min(step, stream.size() - at))));
}

/// A recorded exchange: a file of tests/data.
inline std::string recorded(const std::string& name) {
    std::ifstream file("tests/data/protocol/" + name, std::ios::binary);
    if (!file) throw std::runtime_error("no recorded exchange tests/data/protocol/" + name);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

}  // namespace causeway::protocol
