// Why a gateway refuses or ends something, on its way to the person it happened to.
//
// Our own client reads the code and the incident; everybody else's reads the sentence:
//
//     HTTP        HTTP/1.1 503 <sentence>           DISCONNECT   reason byte, then
//                 X-Reason: <sentence>                           <sentence>
//                 [vpn/16/serverDisconnected 5f3a9c01d2e4b677] X-Causeway-Code:
//                 vpn/16/serverDisconnected X-Causeway-Incident: 5f3a9c01d2e4b677
//
// Stock clients skip headers they do not know, and print the text of a DISCONNECT, mark and all:
// the mark is what its reader may quote to the gateway's operator.

#pragma once

#include "causeway/base/bytes.h"
#include "causeway/error/error.h"
#include "causeway/protocol/http_message.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace causeway::protocol {

struct Reason {
    Vpn code;
    std::string sentence;                        ///< For people; no full stop needed.
    std::optional<std::uint64_t> incident = {};  ///< Where the gateway's log has the whole story.

    /// The failure a client reports: the code, the sentence as detail, evidence `gateway_incident`.
    Error error() const;
    bool operator==(const Reason&) const = default;
};

/// A refusal over HTTP.
struct Refusal {
    int status = 503;  ///< 401, 403 or 503.
    Reason reason;
};

/// Adds X-Reason, X-Causeway-Code and X-Causeway-Incident.
void add_reason(Headers& headers, const Reason& reason);
/// The reason a gateway of ours gave, or nothing. A code that the catalogue does not have, or that
/// does not fit its name, counts as none. The sentence is X-Reason, else `status_words`.
std::optional<Reason> read_reason(const Headers& headers, std::string_view status_words);
/// The raw fact at the bottom of a refusal: the status, with its words as detail.
Error http_fact(const HttpResponse& response);
/// The whole response, after which the gateway closes the connection.
std::string write_refusal(const Refusal& refusal);

/// The first byte of a DISCONNECT.
enum class DisconnectByte : std::uint8_t {
    user = 0xb0,       ///< The user ended it: the session is destroyed.
    error = 0x70,      ///< A fault at the sender's: destroyed.
    pause = 0xd1,      ///< Kept for a while.
    reconnect = 0x91,  ///< Kept for a while.
};

/// The payload of a DISCONNECT that gives a reason.
Bytes write_disconnect(DisconnectByte byte, const Reason& reason);
/// The payload of a DISCONNECT of a client: byte and text.
Bytes write_disconnect(DisconnectByte byte, std::string_view text);

struct DisconnectNotice {
    std::optional<std::uint8_t> byte;  ///< Nothing for an empty payload.
    std::string text;                  ///< Printable, without the mark.
    std::optional<Vpn> code;           ///< When the mark was there and fits the catalogue.
    std::optional<std::uint64_t> incident;

    /// What a client reports: the gateway's code, else serverDisconnected; the text as detail.
    Error error() const;
};
DisconnectNotice read_disconnect(ByteView payload);

}  // namespace causeway::protocol
