// HTTP messages out of a byte stream that may be cut anywhere, with hard limits.
//
// Both framings of RFC 9112 section 6 (Content-Length, chunked), and for responses the body that
// ends with the connection. Whatever could be read in two ways is refused: two different lengths,
// a length beside chunks, a folded header, a bare CR, white space before a colon.

#pragma once

#include "causeway/base/bytes.h"
#include "causeway/error/error.h"
#include "causeway/protocol/http_message.h"
#include "causeway/protocol/limits.h"

#include <cstdint>
#include <optional>
#include <string>

namespace causeway::protocol {

/// What requests and responses have in common. The failures are errSSLDecodeError (no HTTP) and
/// errSSLBufferOverflow (a limit), each naming the bytes or the limit; they latch.
class HttpReader {
public:
    /// Appends what arrived.
    void feed(ByteView bytes);
    /// Whether nothing of a next message has arrived.
    bool is_idle() const { return stage_ == Stage::first_line && buffer_.size() == consumed_; }
    /// What arrived behind the last message: after a CONNECT, the first bytes of the tunnel.
    Bytes take_rest();
    /// The first bytes that arrived, at most `count`: what to show when it was no HTTP.
    std::string_view beginning() const { return beginning_; }

protected:
    enum class Stage : std::uint8_t {
        first_line,
        headers,
        body,
        chunk_size,
        chunk_data,
        chunk_end,
        trailers,
        until_close,
        done,
    };

    explicit HttpReader(HttpLimits limits) : limits_(limits) {}
    ~HttpReader() = default;

    /// Goes on as far as the bytes reach; true when a message is complete.
    Result<bool> read();
    /// Forgets the message that was handed out.
    void start_over();

    virtual Result<void> take_first_line(std::string_view line) = 0;
    /// Whether a first line may go on like this, so that another protocol is told at once.
    virtual bool may_begin(std::string_view) const { return true; }
    /// How the body of the message whose headers are complete ends.
    virtual Result<Stage> body_stage() = 0;
    /// From the headers: chunk_size, body (with its length) or done.
    Result<Stage> framed_body_stage();
    bool has_framing() const;
    /// What has arrived and is not read yet.
    std::string_view waiting() const;

    HttpLimits limits_;
    Stage stage_ = Stage::first_line;
    Headers headers_;
    std::string body_;

private:
    Result<std::optional<std::string_view>> take_line(std::size_t room, std::size_t limit,
                                                      std::string_view what);
    Result<bool> step();
    Result<bool> step_head();
    Result<bool> step_body();
    Result<bool> step_chunk();
    Result<void> take_header(std::string_view line);
    Result<void> take_chunk_size(std::string_view line);

    std::string buffer_;
    std::size_t consumed_ = 0;
    std::size_t searched_ = 0;   ///< How far behind `consumed_` no line end was found.
    std::size_t head_size_ = 0;  ///< Bytes of this message's head so far.
    std::uint64_t remaining_ = 0;
    std::string beginning_;
    std::optional<Error> failure_;
};

/// The requests of one connection, for a gateway.
class HttpRequestReader : public HttpReader {
public:
    explicit HttpRequestReader(HttpLimits limits = gateway_http_limits) : HttpReader(limits) {}

    /// The next whole request, or nothing until more is fed.
    Result<std::optional<HttpRequest>> next();

private:
    Result<void> take_first_line(std::string_view line) override;
    Result<Stage> body_stage() override;

    HttpRequest request_;
};

/// The responses of one connection, for a client.
class HttpResponseReader : public HttpReader {
public:
    explicit HttpResponseReader(HttpLimits limits = client_http_limits) : HttpReader(limits) {}

    /// The next response answers a CONNECT: if it is a 2xx, it has no body, and what follows is
    /// the tunnel (RFC 9110 section 9.3.6).
    void expect_tunnel() { tunnel_ = true; }
    /// The next whole response, or nothing until more is fed. Interim responses (1xx) are skipped.
    Result<std::optional<HttpResponse>> next();
    /// The connection has ended: the response whose body had no other end, or nothing when none
    /// had begun. Fails with errSSLDecodeError when the end came inside a message.
    Result<std::optional<HttpResponse>> finish();

private:
    Result<void> take_first_line(std::string_view line) override;
    bool may_begin(std::string_view text) const override;
    Result<Stage> body_stage() override;
    HttpResponse take_response();

    bool tunnel_ = false;
    HttpResponse response_;
};

}  // namespace causeway::protocol
