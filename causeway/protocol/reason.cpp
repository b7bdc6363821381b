#include "causeway/protocol/reason.h"

#include "causeway/base/text.h"
#include "causeway/error/names.h"
#include "causeway/protocol/http_writer.h"
#include "causeway/protocol/limits.h"

#include <fmt/format.h>

#include <charconv>
#include <utility>

namespace causeway::protocol {
namespace {

constexpr std::size_t incident_digits = 16;

std::string incident_text(std::uint64_t incident) { return fmt::format("{:016x}", incident); }

std::optional<std::uint64_t> parse_incident(std::string_view text) {
    if (text.size() != incident_digits) return std::nullopt;
    std::uint64_t incident = 0;
    const auto [end, failure] =
        std::from_chars(text.data(), text.data() + text.size(), incident, 16);
    if (failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return incident;
}

/// "vpn/16/serverDisconnected", as the catalogue has it.
std::optional<Vpn> parse_vpn(std::string_view text) {
    const auto code = parse_code(text);
    if (!code || code->domain() != Domain::vpn) return std::nullopt;
    return static_cast<Vpn>(code->number());
}

/// " [vpn/16/serverDisconnected 5f3a9c01d2e4b677]", incident only when there is one.
std::string mark(const Reason& reason) {
    std::string text = " [" + code_text(reason.code);
    if (reason.incident) text += " " + incident_text(*reason.incident);
    return text + "]";
}

/// Takes the mark off the end of a text, if there is one.
void take_mark(DisconnectNotice& notice, std::string_view& text) {
    const auto start = text.rfind(" [");
    if (start == std::string_view::npos || !text.ends_with(']')) return;
    const auto inside = text.substr(start + 2, text.size() - start - 3);
    const auto parts = split(inside, ' ');
    if (parts.size() > 2) return;
    const auto code = parse_vpn(parts[0]);
    const auto incident = parts.size() == 2 ? parse_incident(parts[1]) : std::nullopt;
    if (!code || (parts.size() == 2 && !incident)) return;
    notice.code = code;
    notice.incident = incident;
    text = text.substr(0, start);
}

}  // namespace

Error Reason::error() const {
    Error error{code, sentence};
    if (incident) error.with("gateway_incident", incident_text(*incident));
    return error;
}

void add_reason(Headers& headers, const Reason& reason) {
    headers.add("X-Reason", header_text(reason.sentence));
    headers.add("X-Causeway-Code", code_text(reason.code));
    if (reason.incident) headers.add("X-Causeway-Incident", incident_text(*reason.incident));
}

std::optional<Reason> read_reason(const Headers& headers, std::string_view status_words) {
    const auto name = headers.find("X-Causeway-Code");
    const auto code = name ? parse_vpn(*name) : std::nullopt;
    if (!code) return std::nullopt;
    const auto incident = headers.find("X-Causeway-Incident");
    return Reason{*code, header_text(headers.find("X-Reason").value_or(status_words)),
                  incident ? parse_incident(*incident) : std::nullopt};
}

Error http_fact(const HttpResponse& response) {
    return Error{Code::raw(Domain::http, response.status), header_text(response.reason)}.with(
        "http_status", std::to_string(response.status));
}

std::string write_refusal(const Refusal& refusal) {
    HttpResponse response;
    response.status = refusal.status;
    response.reason = refusal.reason.sentence;
    response.headers.add("Connection", "close");
    response.headers.add("X-Transcend-Version", "1");
    add_reason(response.headers, refusal.reason);
    return write_response(response);
}

Bytes write_disconnect(DisconnectByte byte, std::string_view text) {
    Bytes payload{static_cast<std::byte>(byte)};
    append(payload, as_bytes(header_text(text, disconnect_text_limit)));
    return payload;
}

Bytes write_disconnect(DisconnectByte byte, const Reason& reason) {
    // The mark must survive, so it is the sentence that is cut.
    const std::string tail = mark(reason);
    return write_disconnect(
        byte, header_text(reason.sentence, disconnect_text_limit - tail.size()) + tail);
}

DisconnectNotice read_disconnect(ByteView payload) {
    DisconnectNotice notice;
    if (payload.empty()) return notice;
    notice.byte = std::to_integer<std::uint8_t>(payload.front());
    auto text = as_text(payload.subspan(1)).substr(0, disconnect_text_limit);
    while (text.ends_with('\0')) text.remove_suffix(1);
    take_mark(notice, text);
    notice.text = printable(trim(text));
    return notice;
}

Error DisconnectNotice::error() const {
    Error error{code.value_or(Vpn::serverDisconnected),
                text.empty() ? "the gateway ended the session and gave no reason" : text};
    if (text.empty() && !code)
        error.with("candidates",
                   "an administrator ended it; it was idle for too long; its time was over; "
                   "another connection took it over");
    if (byte) error.with("reason_byte", fmt::format("{:02x}", *byte));
    if (incident) error.with("gateway_incident", incident_text(*incident));
    return error;
}

}  // namespace causeway::protocol
