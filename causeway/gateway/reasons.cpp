#include "causeway/gateway/reasons.h"

#include <algorithm>
#include <array>

namespace causeway::gateway {
namespace {

using protocol::DisconnectByte;

constexpr int none = 0;  ///< The reason never answers such a request.

constexpr ReasonRow login(Reason reason, std::string_view name, Vpn code, int status,
                          bool counts_for_ban, std::string_view sentence) {
    return {reason,
            name,
            code,
            status == 200 ? ShownIn::form : ShownIn::status_line,
            status,
            none,
            DisconnectByte::error,
            counts_for_ban,
            sentence};
}

constexpr ReasonRow certificate(Reason reason, std::string_view name, Vpn code,
                                std::string_view sentence) {
    return {reason, name,    code, ShownIn::status_line, 403, 403, DisconnectByte::error,
            false,  sentence};
}

/// Told to CONNECT as 503, where stock clients print X-Reason; to a login as 503 too.
constexpr ReasonRow limit(Reason reason, std::string_view name, Vpn code,
                          std::string_view sentence) {
    return {reason, name,    code, ShownIn::x_reason, 503, 503, DisconnectByte::error,
            false,  sentence};
}

/// 401 is what stock clients take for "log in again".
constexpr ReasonRow cookie(Reason reason, std::string_view name, std::string_view sentence) {
    return {reason,  name, Vpn::authenticationFailed, ShownIn::status_line,
            401,     401,  DisconnectByte::error,     false,
            sentence};
}

constexpr ReasonRow end(Reason reason, std::string_view name, DisconnectByte byte,
                        std::string_view sentence) {
    return {reason, name,    Vpn::serverDisconnected, ShownIn::disconnect, 503, 503, byte,
            false,  sentence};
}

constexpr ReasonRow unseen(Reason reason, std::string_view name, Code code,
                           std::string_view sentence) {
    return {reason, name,    code, ShownIn::nowhere, none, none, DisconnectByte::error,
            false,  sentence};
}

constexpr ReasonRow request(Reason reason, std::string_view name, int status,
                            std::string_view sentence) {
    return {reason,  name,   Vpn::negotiationFailed, ShownIn::status_line,
            status,  status, DisconnectByte::error,  false,
            sentence};
}

constexpr Vpn no_login = Vpn::authenticationFailed;

// clang-format off
constexpr auto table = std::to_array<ReasonRow>({
    login(Reason::wrong_password, "wrong-password", no_login, 200, true,
          "Login failed: name or password is wrong"),
    login(Reason::user_locked, "user-locked", no_login, 403, false,
          "This user is locked; an administrator can unlock it"),
    login(Reason::group_unknown, "group-unknown", Vpn::configurationFailed, 403, false,
          "This gateway has no such group"),
    login(Reason::group_not_allowed, "group-not-allowed", no_login, 403, false,
          "This user is not a member of the group"),
    login(Reason::password_check_failed, "password-check-failed", Vpn::serverDisconnected, 503,
          false, "The gateway cannot check passwords at the moment; try again in a minute"),
    login(Reason::password_checks_busy, "password-checks-busy", Vpn::serverNotResponding, 503,
          false, "Too many logins at once; try again in a minute"),
    login(Reason::login_timeout, "login-timeout", no_login, 401, false,
          "The login took too long"),
    {Reason::banned, "banned", no_login, ShownIn::x_reason, 403, 503, DisconnectByte::error, false,
     "Too many failed logins from this address"},

    certificate(Reason::certificate_missing, "certificate-missing", Vpn::clientCertificateInvalid,
                "This gateway asks for a client certificate and none was sent"),
    certificate(Reason::certificate_expired, "certificate-expired", Vpn::clientCertificateExpired,
                "The client certificate has expired"),
    certificate(Reason::certificate_not_yet_valid, "certificate-not-yet-valid",
                Vpn::clientCertificateNotYetValid, "The client certificate is not valid yet"),
    certificate(Reason::certificate_revoked, "certificate-revoked", Vpn::clientCertificateInvalid,
                "The client certificate has been revoked"),
    certificate(Reason::certificate_untrusted, "certificate-untrusted",
                Vpn::clientCertificateInvalid,
                "The client certificate was not issued by an authority this gateway trusts"),
    certificate(Reason::certificate_unusable, "certificate-unusable",
                Vpn::clientCertificateInvalid, "The client certificate cannot be accepted"),
    certificate(Reason::certificate_no_name, "certificate-no-name", Vpn::clientCertificateInvalid,
                "The client certificate does not name a user"),
    login(Reason::certificate_user_differs, "certificate-user-differs", no_login, 403, true,
          "The user name is not the one in the client certificate"),
    login(Reason::certificate_user_unknown, "certificate-user-unknown", no_login, 403, true,
          "The user named by the client certificate is not known here"),

    limit(Reason::sessions_of_user, "sessions-of-user", Vpn::serverDisconnected,
          "This user has as many sessions as allowed"),
    limit(Reason::sessions_of_group, "sessions-of-group", Vpn::serverDisconnected,
          "This group has as many sessions as allowed"),
    limit(Reason::sessions_in_all, "sessions-in-all", Vpn::serverNotResponding,
          "The gateway is full: it carries as many sessions as allowed"),
    {Reason::connections_of_address, "connections-of-address", Vpn::serverNotResponding,
     ShownIn::nowhere, 503, 503, DisconnectByte::error, false,
     "Too many connections from this address at once"},
    limit(Reason::pool_empty, "pool-empty", Vpn::serverDisconnected,
          "The gateway has no address left for this session"),
    limit(Reason::no_address_family, "no-address-family", Vpn::negotiationFailed,
          "The gateway has no addresses of a family that the client asked for"),

    cookie(Reason::cookie_missing, "cookie-missing", "No session cookie was sent; log in first"),
    cookie(Reason::cookie_malformed, "cookie-malformed",
           "The session cookie cannot be read; log in again"),
    cookie(Reason::cookie_unknown, "cookie-unknown",
           "The session cookie is not known; log in again"),
    cookie(Reason::cookie_expired, "cookie-expired", "The session has expired; log in again"),

    end(Reason::administrator, "administrator", DisconnectByte::user,
        "An administrator ended the session"),
    end(Reason::idle, "idle", DisconnectByte::user, "The session was idle for too long"),
    end(Reason::session_timeout, "session-timeout", DisconnectByte::user,
        "The session reached the time it may last"),
    end(Reason::replaced, "replaced", DisconnectByte::user,
        "The session was taken over by another connection with the same cookie"),
    end(Reason::shutdown, "shutdown", DisconnectByte::user, "The gateway is shutting down"),
    end(Reason::peer_dead, "peer-dead", DisconnectByte::reconnect,
        "Nothing was heard from the client"),
    unseen(Reason::disconnected_timeout, "disconnected-timeout", Vpn::serverDisconnected,
           "The connection was lost and the client did not come back in time"),
    unseen(Reason::user_ended, "user-ended", Tls::errSSLClosedGraceful,
           "The client ended the session"),
    unseen(Reason::connection_lost, "connection-lost", Tls::errSSLClosedAbort,
           "The connection to the client was lost"),
    end(Reason::protocol_error, "protocol-error", DisconnectByte::error,
        "The client broke the rules of the protocol"),
    end(Reason::rekey_too_soon, "rekey-too-soon", DisconnectByte::error,
        "The client asked for new keys too often"),
    end(Reason::group_removed, "group-removed", DisconnectByte::user,
        "The group of the session was removed from the gateway"),
    end(Reason::internal_failure, "internal-failure", DisconnectByte::error,
        "The gateway itself failed and could not carry the session on"),

    request(Reason::request_refused, "request-refused", 400,
            "The request breaks the rules of HTTP or the limits of this gateway"),
});
// clang-format on

consteval bool is_in_order() {
    for (std::size_t i = 0; i < table.size(); ++i)
        if (static_cast<std::size_t>(table[i].reason) != i) return false;
    return static_cast<std::size_t>(Reason::request_refused) + 1 == table.size();
}
static_assert(is_in_order(), "every reason has its row, in the order of the enumeration");

Reason reason_for(const Error& fault) {
    const auto has = [&](Code code) { return fault.find(code) != nullptr; };
    if (has(Trust::errSecCertificateRevoked)) return Reason::certificate_revoked;
    if (has(Tls::errSSLCertExpired)) return Reason::certificate_expired;
    if (has(Tls::errSSLCertNotYetValid)) return Reason::certificate_not_yet_valid;
    if (has(Tls::errSSLUnknownRootCert) || has(Tls::errSSLNoRootCert))
        return Reason::certificate_untrusted;
    if (has(Tls::errSSLCertificateRequired)) return Reason::certificate_missing;
    return Reason::certificate_unusable;
}

}  // namespace

std::span<const ReasonRow> reasons() { return table; }

const ReasonRow& row(Reason reason) { return table[static_cast<std::size_t>(reason)]; }

Error refusal(Reason reason, std::string particulars, Evidence evidence) {
    const ReasonRow& found = row(reason);
    Error error{found.code, std::string(found.sentence), {{"reason", std::string(found.name)}}};
    if (!particulars.empty()) error.detail += ": " + particulars;
    for (auto& [key, value] : evidence) error.with(std::move(key), std::move(value));
    return error;
}

const ReasonRow* reason_of(const Error& error) {
    const auto name = error.fact("reason");
    const auto found = std::ranges::find(table, name, &ReasonRow::name);
    return found == table.end() ? nullptr : &*found;
}

protocol::Reason told(const Error& error, std::optional<std::uint64_t> incident) {
    const Error* known = error.find(Domain::vpn);
    const Vpn code = known ? Vpn{known->code.number()} : Vpn::serverDisconnected;
    return {code, error.detail, incident};
}

Error certificate_refusal(Error tls_fault) {
    const Reason reason = reason_for(tls_fault);
    std::string particulars = tls_fault.detail;
    return refusal(reason, std::move(particulars)).because(std::move(tls_fault));
}

}  // namespace causeway::gateway
