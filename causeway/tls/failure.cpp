#include "causeway/tls/failure.h"

#include "causeway/tls/alert.h"
#include "causeway/tls/record.h"

#include <fmt/format.h>

#include <cerrno>

namespace causeway::tls {
namespace {

std::string_view peer(const Scene& scene) { return scene.is_server ? "client" : "server"; }

std::string level_name(std::uint8_t level) {
    if (level == alert_level_warning) return "warning";
    if (level == alert_level_fatal) return "fatal";
    return std::to_string(level);
}

void add_alert(Error& error, const Alert& alert, std::string_view from) {
    error.with("alert", std::to_string(alert.number))
        .with("alert_name", std::string(alert_name(alert.number)))
        .with("alert_level", level_name(alert.level))
        .with("alert_from", std::string(from));
}

Error alert_fact(const Alert& alert) {
    return Error{Code::raw(Domain::alert, alert.number), std::string(alert_name(alert.number))};
}

std::string versions(const Policy& policy) {
    if (policy.minimum_version == policy.maximum_version) return name(policy.minimum_version);
    return name(policy.minimum_version) + " to " + name(policy.maximum_version);
}

void add_version_rule(const Scene& scene, Error& error) {
    error.with("policy", "minimum " + name(scene.policy.minimum_version))
        .with(scene.is_server ? "accepted" : "offered", versions(scene.policy));
}

/// A server that answers with another version than it was asked for.
std::optional<Error> version_error(const Scene& scene) {
    if (scene.is_server || !scene.watch.server_version) return std::nullopt;
    const auto found = *scene.watch.server_version;
    if (found >= scene.policy.minimum_version && found <= scene.policy.maximum_version)
        return std::nullopt;
    const bool is_lower = found < scene.policy.minimum_version;
    auto error = Error{is_lower ? Tls::errSSLATSMinimumVersionViolation : Tls::errSSLNegotiation,
                       fmt::format("the server answers with {}, and {} was offered", name(found),
                                   versions(scene.policy))}
                     .with("rule", "lowest version")
                     .with("found", name(found))
                     .with("wanted", name(scene.policy.minimum_version) + " or better");
    add_version_rule(scene, error);
    return error;
}

void add_negotiation(const Scene& scene, Error& error) {
    add_version_rule(scene, error);
    if (scene.is_server && scene.watch.client_version)
        error.with("client_offers", "up to " + name(*scene.watch.client_version));
}

}  // namespace

void add_alert_sent(const Scene& scene, Error& error) {
    if (scene.watch.alert_sent) add_alert(error, *scene.watch.alert_sent, "local");
}

Error alert_error(const Scene& scene, const Alert& alert) {
    const auto version = scene.watch.server_version.value_or(Version::tls_1_2);
    const auto code =
        code_of_alert(alert.number, alert.level, version).value_or(Tls::errSSLFatalAlert);
    Error error{code, fmt::format("the {} ended the {} with alert {} ({})", peer(scene),
                                  scene.watch.facts.handshake_completed ? "channel" : "handshake",
                                  alert.number, alert_name(alert.number))};
    add_alert(error, alert, "peer");
    if (code == Tls::errSSLPeerProtocolVersion) add_version_rule(scene, error);
    if (code == Tls::errSSLUnrecognizedName && !scene.watch.facts.server_name.empty())
        error.with("server_name", scene.watch.facts.server_name);
    return std::move(error).because(alert_fact(alert));
}

Error local_error(const Scene& scene, Trouble trouble) {
    if (!trouble.alert_sent && scene.watch.alert_sent)
        trouble.alert_sent = scene.watch.alert_sent->number;
    auto error = version_error(scene).value_or(Error{code_of(trouble), {}});
    const auto code = error.code;
    if (error.detail.empty()) error.detail = sentence_of(trouble);
    if (code == Code(Tls::errSSLNegotiation)) add_negotiation(scene, error);
    if (code == Code(Tls::errSSLBadCipherSuite) && scene.watch.server_suite)
        error.with("found", fmt::format("0x{:04X}", *scene.watch.server_suite));
    if (code == Code(Tls::errSSLUnrecognizedName))
        error.with("server_name", scene.watch.facts.server_name);
    if (code == Code(Tls::errSSLWeakPeerEphemeralDHKey))
        error.with("rule", "smallest Diffie-Hellman group")
            .with("wanted", fmt::format("{} bits", scene.policy.diffie_hellman_bits));
    if (scene.watch.last_message && !scene.watch.facts.handshake_completed)
        error.with("message", std::string(message_name(*scene.watch.last_message)));
    if (!trouble.faults.empty()) error.with("openssl_reason", openssl_reason(trouble.faults));
    add_alert_sent(scene, error);
    for (const auto& fault : trouble.faults)
        if (fault.reason == ERR_R_MALLOC_FAILURE)
            return std::move(error).because(Error{Trust::errSecAllocate, "no memory was left"});
    return error;
}

Error end_error(const Scene& scene, ByteView partial) {
    const auto& facts = scene.watch.facts;
    if (!facts.peer_spoke)
        return Error{Tls::errSSLConnectionRefused,
                     fmt::format("the {} closed the connection before its first byte", peer(scene))}
            .with("waited_for", facts.waiting_for);
    Error error{Tls::errSSLClosedNoNotify, {}};
    if (!partial.empty()) {
        error.code = Tls::errSSLClosedAbort;
        error.with("record", how_far(partial));
        error.detail = fmt::format("the {} closed the connection inside a record, after {}",
                                   peer(scene), how_far(partial));
    } else {
        error.detail = fmt::format(
            "the {} closed the connection {}", peer(scene),
            facts.handshake_completed ? "without close_notify" : "in the middle of the handshake");
    }
    if (!facts.handshake_completed) error.with("waited_for", facts.waiting_for);
    return error;
}

Error reset_error(const Scene& scene, int number) {
    const auto& facts = scene.watch.facts;
    auto below = system_error(number, "recv");
    Error error{Tls::errSSLTransportReset,
                fmt::format("the connection to the {} was torn down", peer(scene))};
    if (number == ETIMEDOUT) {
        error.code = Tls::errSSLNetworkTimeout;
        error.detail = fmt::format("the {} no longer acknowledges what is sent", peer(scene));
    }
    if (number == ECONNREFUSED) {
        error.code = Tls::errSSLConnectionRefused;
        error.detail = fmt::format("the {} refused the connection", peer(scene));
    }
    if (!facts.handshake_completed) error.with("waited_for", facts.waiting_for);
    return std::move(error).because(std::move(below));
}

Error timeout_error(const Scene& scene, std::chrono::milliseconds limit) {
    const auto& facts = scene.watch.facts;
    return Error{Tls::errSSLNetworkTimeout,
                 fmt::format("{} did not come within {}", facts.waiting_for, spoken(limit))}
        .with("waited_for", facts.waiting_for)
        .with("limit", spoken(limit))
        .with("peer_spoke", facts.peer_spoke ? "yes" : "no");
}

Error suite_error(const Scene& scene, std::string_view suite) {
    return Error{Tls::errSSLATSCiphersuiteViolation,
                 fmt::format("the {} chose {}, which keeps no secret once its key is known",
                             peer(scene), suite)}
        .with("rule", "forward secrecy")
        .with("found", std::string(suite))
        .with("wanted", "a suite of ECDHE or TLS 1.3");
}

Error group_error(const Scene& scene, int bits) {
    return Error{Tls::errSSLWeakPeerEphemeralDHKey,
                 std::string(sentence_of(Tls::errSSLWeakPeerEphemeralDHKey))}
        .with("rule", "smallest Diffie-Hellman group")
        .with("found", fmt::format("{} bits", bits))
        .with("wanted", fmt::format("{} bits", scene.policy.diffie_hellman_bits));
}

}  // namespace causeway::tls
