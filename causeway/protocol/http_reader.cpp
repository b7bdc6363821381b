#include "causeway/protocol/http_reader.h"

#include "causeway/base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace causeway::protocol {
namespace {

constexpr std::size_t shown_limit = 80;  // Bytes of foreign text that a failure quotes.

std::string shown(std::string_view text) { return in_quotes(text, shown_limit); }

/// RFC 9110 section 5.6.2.
bool is_token(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
    });
}

/// "HTTP/1.0" or "HTTP/1.1": the digit behind the point.
std::optional<int> minor_version(std::string_view text) {
    if (text == "HTTP/1.1") return 1;
    if (text == "HTTP/1.0") return 0;
    return std::nullopt;
}

}  // namespace

void HttpReader::feed(ByteView bytes) {
    if (failure_) return;
    if (beginning_.size() < shown_limit)
        beginning_.append(as_text(bytes).substr(0, shown_limit - beginning_.size()));
    buffer_.erase(0, consumed_);
    consumed_ = 0;
    buffer_.append(as_text(bytes));
    // A sender may run ahead by one largest message, not without end.
    const std::size_t limit = limits_.head + limits_.body;
    if (buffer_.size() <= limit) return;
    failure_ = Error{Tls::errSSLBufferOverflow,
                     fmt::format("more than {} bytes of HTTP wait to be read", limit),
                     {{"limit", std::to_string(limit)}}};
    buffer_.clear();
}

Bytes HttpReader::take_rest() {
    Bytes rest = copy(as_bytes(waiting()));
    buffer_.clear();
    consumed_ = 0;
    return rest;
}

Result<bool> HttpReader::read() {
    if (failure_) return std::unexpected(*failure_);
    while (stage_ != Stage::done) {
        const auto progress = step();
        if (!progress) {
            failure_ = progress.error();
            return std::unexpected(*failure_);
        }
        if (!*progress) return false;
    }
    return true;
}

void HttpReader::start_over() {
    stage_ = Stage::first_line;
    headers_ = {};
    body_ = {};
    head_size_ = 0;
    remaining_ = 0;
}

std::string_view HttpReader::waiting() const { return std::string_view(buffer_).substr(consumed_); }

/// The next line without its end, or nothing while it is not there whole. `room` is what is left
/// of `limit`.
Result<std::optional<std::string_view>> HttpReader::take_line(std::size_t room, std::size_t limit,
                                                              std::string_view what) {
    const auto text = waiting();
    const auto end = text.find('\n', searched_);
    if (std::min(end, text.size()) > room)
        return fail(Tls::errSSLBufferOverflow,
                    fmt::format("{} is longer than {} bytes", what, limit),
                    {{"limit", std::to_string(limit)}});
    if (end == std::string_view::npos) {
        searched_ = text.size();
        return std::nullopt;
    }
    searched_ = 0;
    consumed_ += end + 1;
    auto line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    // RFC 9112 section 2.2: a bare CR must be refused or made a space; NUL is in no header.
    if (line.find_first_of(std::string_view("\r\0", 2)) != std::string_view::npos)
        return fail(Tls::errSSLDecodeError,
                    "a line of the HTTP head holds CR or NUL: " + shown(line));
    return line;
}

Result<bool> HttpReader::step() {
    switch (stage_) {
        case Stage::first_line:
        case Stage::headers:
        case Stage::trailers: return step_head();
        case Stage::chunk_size:
        case Stage::chunk_end: return step_chunk();
        case Stage::body:
        case Stage::chunk_data:
        case Stage::until_close: return step_body();
        case Stage::done: break;
    }
    return false;
}

Result<bool> HttpReader::step_head() {
    auto line = take_line(limits_.head - head_size_, limits_.head, "the head of the HTTP message");
    if (!line) return pass(line);
    if (!*line && stage_ == Stage::first_line && !may_begin(waiting()))
        return fail(Tls::errSSLDecodeError, "not HTTP: " + shown(waiting()));
    if (!*line) return false;
    head_size_ = std::min(head_size_ + (*line)->size() + 1, limits_.head);

    if (stage_ == Stage::first_line) {
        // RFC 9112 section 2.2: at least one empty line before a request is to be ignored.
        if ((*line)->empty() && head_size_ < limits_.head) return true;
        if (auto taken = take_first_line(**line); !taken) return pass(taken);
        stage_ = Stage::headers;
        return true;
    }
    if (!(*line)->empty()) {
        if (auto taken = take_header(**line); !taken) return pass(taken);
        return true;
    }
    if (stage_ == Stage::trailers) {
        stage_ = Stage::done;
        return true;
    }
    const auto next = body_stage();
    if (!next) return std::unexpected(next.error());
    stage_ = *next;
    return true;
}

Result<void> HttpReader::take_header(std::string_view line) {
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || !is_token(line.substr(0, colon)))
        return fail(Tls::errSSLDecodeError, "not an HTTP header: " + shown(line));
    if (headers_.size() >= limits_.headers)
        return fail(Tls::errSSLBufferOverflow,
                    fmt::format("the HTTP message has more than {} headers", limits_.headers),
                    {{"limit", std::to_string(limits_.headers)}});
    // Trailers count against the limit but say nothing: none of ours means anything there.
    headers_.add(line.substr(0, colon),
                 stage_ == Stage::trailers ? "" : trim(line.substr(colon + 1)));
    return {};
}

bool HttpReader::has_framing() const {
    return headers_.find("Content-Length") || headers_.find("Transfer-Encoding");
}

Result<HttpReader::Stage> HttpReader::framed_body_stage() {
    const auto lengths = headers_.all("Content-Length");
    const auto codings = headers_.all("Transfer-Encoding");
    if (!codings.empty()) {
        if (codings.size() != 1 || !equals_ignoring_case(codings.front(), "chunked"))
            return fail(Tls::errSSLDecodeError,
                        "unknown Transfer-Encoding: " + shown(codings.back()));
        if (!lengths.empty())
            return fail(Tls::errSSLDecodeError,
                        "the HTTP message has Content-Length beside Transfer-Encoding");
        return Stage::chunk_size;
    }
    if (lengths.empty()) return Stage::done;
    if (!std::ranges::all_of(lengths, [&](auto length) { return length == lengths.front(); }))
        return fail(Tls::errSSLDecodeError, "the HTTP message has two different Content-Lengths");
    const auto length = parse_number<std::uint64_t>(lengths.front(), 0, UINT64_MAX);
    if (!length)
        return fail(Tls::errSSLDecodeError,
                    "Content-Length is no number: " + shown(lengths.front()));
    if (*length > limits_.body)
        return fail(Tls::errSSLBufferOverflow,
                    fmt::format("the HTTP body has {} bytes, limit {}", *length, limits_.body),
                    {{"limit", std::to_string(limits_.body)}});
    remaining_ = *length;
    return remaining_ == 0 ? Stage::done : Stage::body;
}

Result<bool> HttpReader::step_body() {
    const auto text = waiting();
    if (text.empty()) return false;
    const bool is_bounded = stage_ != Stage::until_close;
    const auto count = is_bounded ? std::min<std::uint64_t>(remaining_, text.size()) : text.size();
    if (body_.size() + count > limits_.body)
        return fail(Tls::errSSLBufferOverflow,
                    fmt::format("the HTTP body has more than {} bytes", limits_.body),
                    {{"limit", std::to_string(limits_.body)}});
    body_.append(text.substr(0, count));
    consumed_ += count;
    if (!is_bounded) return false;
    remaining_ -= count;
    if (remaining_ == 0) stage_ = stage_ == Stage::body ? Stage::done : Stage::chunk_end;
    return true;
}

Result<bool> HttpReader::step_chunk() {
    auto line = take_line(chunk_line_limit, chunk_line_limit, "the size line of an HTTP chunk");
    if (!line) return pass(line);
    if (!*line) return false;
    if (stage_ == Stage::chunk_size) {
        if (auto taken = take_chunk_size(**line); !taken) return pass(taken);
        return true;
    }
    if (!(*line)->empty())
        return fail(Tls::errSSLDecodeError, "an HTTP chunk is longer than its size says");
    stage_ = Stage::chunk_size;
    return true;
}

Result<void> HttpReader::take_chunk_size(std::string_view line) {
    const auto digits = trim(line.substr(0, line.find(';')));
    std::uint64_t size = 0;
    const auto [end, failure] =
        std::from_chars(digits.data(), digits.data() + digits.size(), size, 16);
    if (failure == std::errc::invalid_argument || end != digits.data() + digits.size())
        return fail(Tls::errSSLDecodeError, "not the size of an HTTP chunk: " + shown(line));
    if (failure != std::errc{} || size > limits_.body - body_.size())
        return fail(Tls::errSSLBufferOverflow,
                    fmt::format("the HTTP body has more than {} bytes", limits_.body),
                    {{"limit", std::to_string(limits_.body)}});
    remaining_ = size;
    stage_ = size == 0 ? Stage::trailers : Stage::chunk_data;
    return {};
}

// Requests

Result<std::optional<HttpRequest>> HttpRequestReader::next() {
    const auto is_complete = read();
    if (!is_complete) return std::unexpected(is_complete.error());
    if (!*is_complete) return std::nullopt;
    HttpRequest request = std::exchange(request_, {});
    request.headers = std::move(headers_);
    request.body = std::move(body_);
    start_over();
    return request;
}

Result<void> HttpRequestReader::take_first_line(std::string_view line) {
    const auto parts = split(line, ' ');
    const auto version = parts.size() == 3 ? minor_version(parts[2]) : std::nullopt;
    if (!version || !is_token(parts[0]) || parts[1].empty())
        return fail(Tls::errSSLDecodeError, "not an HTTP request: " + shown(line));
    request_.method = parts[0];
    request_.target = parts[1];
    request_.minor_version = *version;
    return {};
}

Result<HttpReader::Stage> HttpRequestReader::body_stage() { return framed_body_stage(); }

// Responses

Result<std::optional<HttpResponse>> HttpResponseReader::next() {
    while (true) {
        const auto is_complete = read();
        if (!is_complete) return std::unexpected(is_complete.error());
        if (!*is_complete) return std::nullopt;
        HttpResponse response = take_response();
        if (response.status >= 200) return response;
    }
}

Result<std::optional<HttpResponse>> HttpResponseReader::finish() {
    auto response = next();
    if (!response || *response) return response;
    if (stage_ == Stage::until_close) return take_response();
    if (is_idle()) return std::nullopt;
    return fail(Tls::errSSLDecodeError, "the connection ended in the middle of an HTTP response");
}

HttpResponse HttpResponseReader::take_response() {
    HttpResponse response = std::exchange(response_, {});
    response.headers = std::move(headers_);
    response.body = std::move(body_);
    if (response.status >= 200) tunnel_ = false;
    start_over();
    return response;
}

Result<void> HttpResponseReader::take_first_line(std::string_view line) {
    // HTTP/1.1 SP 3 digits [ SP words ]
    const auto version = minor_version(line.substr(0, 8));
    const auto status = line.size() >= 12 && line[8] == ' '
                            ? parse_number(line.substr(9, 3), 100, 599)
                            : std::nullopt;
    if (!version || !status || (line.size() > 12 && line[12] != ' '))
        return fail(Tls::errSSLDecodeError, "not an HTTP response: " + shown(line));
    response_.minor_version = *version;
    response_.status = *status;
    response_.reason = trim(line.substr(12));
    return {};
}

bool HttpResponseReader::may_begin(std::string_view text) const {
    constexpr std::string_view start = "HTTP/1.";
    const auto common = std::min(text.size(), start.size());
    return text.substr(0, common) == start.substr(0, common) || text == "\r";
}

Result<HttpReader::Stage> HttpResponseReader::body_stage() {
    const int status = response_.status;
    // RFC 9112 section 6.3: these have no body, whatever their headers say.
    if (status < 200 || status == 204 || status == 304) return Stage::done;
    if (tunnel_ && status < 300) return Stage::done;
    if (has_framing()) return framed_body_stage();
    // Stock gateways refuse a CONNECT without a length and without a body: the head says it all,
    // and waiting for the end could lose it to an alert.
    return tunnel_ ? Stage::done : Stage::until_close;
}

}  // namespace causeway::protocol
