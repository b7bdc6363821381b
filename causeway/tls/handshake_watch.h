// What the two sides have said so far, as OpenSSL's message callback tells it: messages of the
// handshake, alerts in both directions (those that OpenSSL itself ignores too), records.
//
// Private to this layer.

#pragma once

#include "causeway/base/bytes.h"
#include "causeway/tls/policy.h"
#include "causeway/tls/stream.h"

#include <cstdint>
#include <deque>
#include <optional>

namespace causeway::tls {

struct Alert {
    std::uint8_t level;
    std::uint8_t number;
};

class HandshakeWatch {
public:
    explicit HandshakeWatch(bool is_server) : is_server_(is_server) {
        facts.waiting_for = is_server ? "the client's hello" : "the server's hello";
    }

    /// `type` as OpenSSL gives it: a content type of TLS, or 256 for the header of a record.
    void saw(bool is_written, int type, ByteView bytes);

    Facts facts;
    std::optional<Alert> alert_sent;            ///< The last fatal one of ours.
    std::optional<Alert> alert_ended;           ///< The peer's alert that ends the connection.
    std::optional<Version> server_version;      ///< What the server's hello chose.
    std::optional<std::uint16_t> server_suite;  ///< The same.
    std::optional<Version> client_version;      ///< The highest that the client's hello offered.
    bool has_refused_renegotiation = false;     ///< We did, with a warning.
    std::optional<std::uint8_t> last_message;   ///< The last handshake message that came.
    std::deque<Event> events;                   ///< Noticed on the way.

private:
    void saw_message(bool is_written, ByteView message);
    void saw_alert(bool is_written, ByteView alert);
    void update_waiting(bool is_written, std::uint8_t type);

    /// Until the server's hello says otherwise the rules of TLS 1.2 hold.
    Version agreed() const { return server_version.value_or(Version::tls_1_2); }

    bool is_server_;
};

}  // namespace causeway::tls
