#include "causeway/tls/handshake_watch.h"

#include "causeway/tls/alert.h"
#include "causeway/tls/message_reader.h"
#include "causeway/tls/openssl.h"

namespace causeway::tls {
namespace {

constexpr std::uint16_t supported_versions = 43;

struct ServerHello {
    std::uint16_t version;
    std::uint16_t suite;
};

std::optional<ServerHello> read_server_hello(ByteView message) {
    MessageReader reader(message);
    const auto head = reader.take(4);
    const auto version = reader.take_16();
    const auto random = reader.take(32);
    const auto session = reader.take_vector_8();
    const auto suite = reader.take_16();
    const auto compression = reader.take_8();
    if (!head || !version || !random || !session || !suite || !compression) return std::nullopt;
    ServerHello hello{*version, *suite};
    if (const auto extensions = reader.take_vector_16())
        if (const auto chosen = find_extension(*extensions, supported_versions);
            chosen && chosen->size() == 2)
            hello.version = big_endian_16(*chosen);
    return hello;
}

/// The highest version a client's hello offers, of those that have a name.
std::optional<Version> read_client_version(ByteView message) {
    MessageReader reader(message);
    const auto head = reader.take(4);
    const auto version = reader.take_16();
    const auto random = reader.take(32);
    const auto session = reader.take_vector_8();
    const auto suites = reader.take_vector_16();
    const auto compressions = reader.take_vector_8();
    if (!head || !version || !random || !session || !suites || !compressions) return std::nullopt;
    std::uint16_t highest = *version;
    if (const auto extensions = reader.take_vector_16())
        if (const auto offered = find_extension(*extensions, supported_versions)) {
            MessageReader list(*offered);
            list.take_8();
            highest = 0;
            while (const auto one = list.take_16())
                if (*one <= 0x0304 && *one > highest) highest = *one;
        }
    return static_cast<Version>(highest);
}

/// A Certificate message that holds one: TLS 1.3 has a context in front of the list.
bool holds_certificate(ByteView message, bool is_1_3) {
    const std::size_t empty = is_1_3 ? 4 + 1 + 3 : 4 + 3;
    return message.size() > empty;
}

}  // namespace

void HandshakeWatch::saw(bool is_written, int type, ByteView bytes) {
    switch (type) {
        case SSL3_RT_HEADER: ++(is_written ? facts.records_sent : facts.records_received); break;
        case SSL3_RT_ALERT: saw_alert(is_written, bytes); break;
        case SSL3_RT_HANDSHAKE:
            if (bytes.empty()) break;
            saw_message(is_written, bytes);
            if (is_written && !is_server_ && bytes[0] == std::byte{SSL3_MT_CERTIFICATE})
                facts.certificate_sent = holds_certificate(bytes, agreed() == Version::tls_1_3);
            break;
        default: break;
    }
}

void HandshakeWatch::saw_alert(bool is_written, ByteView bytes) {
    if (bytes.size() != 2) return;
    const Alert alert{std::to_integer<std::uint8_t>(bytes[0]),
                      std::to_integer<std::uint8_t>(bytes[1])};
    if (is_written) {
        if (alert.level == alert_level_fatal) alert_sent = alert;
        if (alert.number == SSL_AD_NO_RENEGOTIATION) has_refused_renegotiation = true;
        return;
    }
    const auto code = code_of_alert(alert.number, alert.level, agreed());
    // "user_canceled: This alert notifies the recipient that the sender is canceling the handshake"
    // (RFC 8446, section 6.1): later it only announces the close.
    const bool is_late_cancel = code == Tls::errSSLPeerUserCancelled && facts.handshake_completed;
    if (!code || is_late_cancel) {
        ++facts.warnings_ignored;
        events.push_back(WarningAlert{alert.number});
        return;
    }
    if (!alert_ended && code != Tls::errSSLClosedGraceful) alert_ended = alert;
}

void HandshakeWatch::saw_message(bool is_written, ByteView message) {
    const auto type = std::to_integer<std::uint8_t>(message[0]);
    if (!is_written) last_message = type;
    if (type == SSL3_MT_SERVER_HELLO)
        if (const auto hello = read_server_hello(message)) {
            server_version = static_cast<Version>(hello->version);
            server_suite = hello->suite;
        }
    if (type == SSL3_MT_CLIENT_HELLO && !is_written) client_version = read_client_version(message);
    if (type == SSL3_MT_CERTIFICATE_REQUEST && !is_written && !facts.certificate_requested) {
        facts.certificate_requested = true;
        events.push_back(CertificateRequested{});
    }
    if (type == SSL3_MT_KEY_UPDATE && !is_written) {
        ++facts.key_changes;
        events.push_back(Rekeyed{});
    }
    if (!facts.handshake_completed) update_waiting(is_written, type);
}

void HandshakeWatch::update_waiting(bool is_written, std::uint8_t type) {
    if (is_server_ && is_written && type == SSL3_MT_SERVER_HELLO)
        facts.waiting_for = "the client's key and finish";
    if (is_server_ && !is_written && type == SSL3_MT_CERTIFICATE)
        facts.waiting_for = "the client's finish";
    if (!is_server_ && !is_written && type == SSL3_MT_SERVER_HELLO)
        facts.waiting_for = "the rest of the server's handshake";
    if (!is_server_ && is_written && type == SSL3_MT_FINISHED)
        facts.waiting_for = "the server's finish";
}

}  // namespace causeway::tls
