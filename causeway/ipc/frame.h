// Framing: JSON objects in and out of a byte stream, each behind its length.
//
//     byte   0   1   2   3    4 …
//            length (BE)      one JSON object, UTF-8
//
// No descriptor, no clock: bytes go in, texts come out.

#pragma once

#include "causeway/base/bytes.h"
#include "causeway/error/error.h"

#include <optional>
#include <string>

namespace causeway::ipc {

/// The frame around a JSON text of at most `message_limit` bytes.
Bytes frame(std::string_view json);

/// Finds the texts in a stream that may be cut anywhere.
class FrameReader {
public:
    /// Appends what arrived.
    void feed(ByteView bytes);

    /// The next whole text, a JSON object, or nothing until more is fed. After a failure every
    /// further call returns the same failure.
    ///
    /// Fails with EMSGSIZE (a length above `message_limit`, refused before the text arrives) or
    /// EBADMSG (not a JSON object in UTF-8).
    Result<std::optional<std::string>> next();

    /// True between two messages: nothing was fed that has not been handed out.
    bool is_empty() const { return consumed_ == buffer_.size(); }

private:
    Bytes buffer_;
    std::size_t consumed_ = 0;
    std::optional<Error> failure_;
};

}  // namespace causeway::ipc
