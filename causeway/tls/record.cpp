#include "causeway/tls/record.h"

#include "causeway/base/text.h"
#include "causeway/tls/limits.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

namespace causeway::tls {
namespace {

bool is_content_type(std::byte type) { return type >= std::byte{20} && type <= std::byte{24}; }

std::size_t payload_size(ByteView header) { return big_endian_16(header.subspan(3, 2)); }

Error about_header(Tls code, std::string detail, ByteView header) {
    return Error{code, std::move(detail)}
        .with("record_type", std::to_string(std::to_integer<int>(header[0])))
        .with("record_length", std::to_string(payload_size(header)))
        .with("first_bytes", hex(header.first(record_header_size)));
}

std::string_view first_line(std::string_view text) {
    return trim(text.substr(0, text.find_first_of("\r\n")));
}

std::string location_in(std::string_view head) {
    for (const auto line : split(head, '\n')) {
        const auto colon = line.find(':');
        if (colon == std::string_view::npos) continue;
        if (equals_ignoring_case(trim(line.substr(0, colon)), "location"))
            return printable(trim(line.substr(colon + 1)));
    }
    return {};
}

bool is_http_request(std::string_view text) {
    for (const auto* method : {"GET ", "POST ", "HEAD ", "PUT ", "CONNECT ", "OPTIONS ", "PRI "})
        if (text.starts_with(method)) return true;
    return false;
}

/// SSL 2 puts its length first, with the top bit set, then the type of the message: 1 is a
/// client's hello, 4 a server's, 0 an error.
bool is_ssl_2(ByteView bytes) {
    if (bytes.size() < 3 || (bytes[0] & std::byte{0x80}) == std::byte{0}) return false;
    return bytes[2] == std::byte{0} || bytes[2] == std::byte{1} || bytes[2] == std::byte{4};
}

bool is_greeting(std::string_view text) {
    return text.starts_with("220") || text.starts_with("+OK") || text.starts_with("* OK");
}

bool is_readable(std::string_view text) {
    return std::ranges::all_of(
        text, [](char c) { return (c >= ' ' && c <= '~') || c == '\r' || c == '\n' || c == '\t'; });
}

void add_http(Error& error, std::string_view text) {
    error.with("peer_speaks", "HTTP");
    const auto line = first_line(text);
    if (!text.starts_with("HTTP/")) {
        error.with("request", printable(line));
        return;
    }
    error.with("http_status", printable(line.substr(std::min(line.size(), line.find(' ') + 1))));
    const auto location = location_in(text);
    if (!location.empty()) error.with("location", location);
}

}  // namespace

RecordScan scan_records(ByteView bytes, std::size_t limit) {
    RecordScan scan;
    while (bytes.size() - scan.whole >= record_header_size) {
        const auto rest = bytes.subspan(scan.whole);
        if (!is_content_type(rest[0])) {
            scan.fault =
                about_header(Tls::errSSLUnexpectedRecord,
                             fmt::format("a record of type {} came, which TLS does not know",
                                         std::to_integer<int>(rest[0])),
                             rest);
            return scan;
        }
        if (payload_size(rest) > limit) {
            scan.fault =
                about_header(Tls::errSSLRecordOverflow,
                             fmt::format("a record announces {} bytes, and at most {} are allowed",
                                         payload_size(rest), limit),
                             rest)
                    .with("limit", std::to_string(limit));
            return scan;
        }
        const auto size = record_header_size + payload_size(rest);
        if (rest.size() < size) return scan;
        scan.whole += size;
    }
    return scan;
}

std::string how_far(ByteView bytes) {
    if (bytes.size() < record_header_size)
        return fmt::format("{} of the {} bytes of its header", bytes.size(), record_header_size);
    return fmt::format("{} of {} bytes", bytes.size(), record_header_size + payload_size(bytes));
}

bool is_foreign(ByteView bytes) {
    if (bytes.empty() || bytes[0] == std::byte{22} || bytes[0] == std::byte{21})
        return bytes.size() >= 2 && bytes[1] != std::byte{3};
    // A type nobody knows under a version of TLS is a damaged record, not another protocol.
    return bytes.size() < 3 || bytes[1] != std::byte{3} || bytes[2] > std::byte{4};
}

Opening opening_of(ByteView bytes, bool is_all) {
    if (bytes.empty()) return Opening::undecided;
    if (!is_foreign(bytes)) return Opening::tls;
    if (is_all || bytes.size() >= foreign_limit) return Opening::foreign;
    const auto text = as_text(bytes);
    // The head of an answer may say where a captive portal is.
    if (std::string_view("HTTP/").starts_with(text.substr(0, 5)))
        return text.find("\r\n\r\n") == text.npos ? Opening::undecided : Opening::foreign;
    if (is_readable(text))
        return text.find('\n') == text.npos ? Opening::undecided : Opening::foreign;
    return bytes.size() < 3 ? Opening::undecided : Opening::foreign;
}

Error foreign_error(ByteView bytes) {
    const auto text = as_text(bytes);
    Error error{Tls::errSSLProtocol, {}};
    if (text.starts_with("HTTP/") || is_http_request(text))
        add_http(error, text);
    else if (text.starts_with("SSH-"))
        error.with("peer_speaks", "SSH").with("banner", printable(first_line(text)));
    else if (is_ssl_2(bytes))
        error.with("peer_speaks", "SSL 2");
    else if (is_greeting(text) && is_readable(text))
        error.with("peer_speaks", "a mail or file protocol")
            .with("banner", printable(first_line(text)));
    else if (is_readable(text))
        error.with("peer_speaks", "some text").with("banner", printable(first_line(text)));
    else
        error.with("peer_speaks", "something unknown");
    error.with("first_bytes", hex(bytes.first(std::min(bytes.size(), first_bytes_limit))));
    error.detail = fmt::format("the other side speaks {}, not TLS", error.fact("peer_speaks"));
    if (const auto location = error.fact("location"); !location.empty())
        error.detail += fmt::format(", and points to {}", location);
    return error;
}

}  // namespace causeway::tls
