// Why the gateway refuses or ends something, and how it tells each kind of client.
//
// One table: the code for our client, the sentence for everybody, and the place in the protocol
// where stock clients print it. See "What a reason may tell": never whether the name or the
// password was wrong, and "locked" only after the right password.

#pragma once

#include "causeway/error/error.h"
#include "causeway/protocol/reason.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace causeway::gateway {

enum class Reason : std::uint8_t {
    // Logins
    wrong_password,         ///< Name or password; which one is never told.
    user_locked,            ///< Told only after the right password, or a valid certificate.
    group_unknown,          ///< No such group is configured.
    group_not_allowed,      ///< This user may not use that group.
    password_check_failed,  ///< causeway-auth died, or could not read the users file.
    password_checks_busy,   ///< More checks wait than the queue may hold.
    login_timeout,          ///< The login took longer than it may.
    banned,                 ///< Too many failures from this address.
    // Client certificates
    certificate_missing,
    certificate_expired,
    certificate_not_yet_valid,
    certificate_revoked,
    certificate_untrusted,
    certificate_unusable,      ///< Anything else: purpose, signature, weak key, malformed.
    certificate_no_name,       ///< It has no user name where the configuration looks for one.
    certificate_user_differs,  ///< The form names another user than the certificate.
    certificate_user_unknown,  ///< It names a user that the users file does not have.
    // Limits
    sessions_of_user,
    sessions_of_group,
    sessions_in_all,
    connections_of_address,
    pool_empty,
    no_address_family,  ///< The client wants only families that the group has no pool for.
    // Cookies
    cookie_missing,
    cookie_malformed,  ///< No text that this gateway ever gave out.
    cookie_unknown,    ///< Never given out, or the session has ended, or the gateway was restarted.
    cookie_expired,
    // Ends
    administrator,
    idle,
    session_timeout,
    replaced,  ///< The same session connected again from elsewhere.
    shutdown,
    peer_dead,             ///< Nothing came for twice the DPD interval.
    disconnected_timeout,  ///< The connection was lost and nobody came back for it.
    user_ended,            ///< The client said goodbye.
    connection_lost,
    protocol_error,
    rekey_too_soon,
    group_removed,     ///< A reload took the group away.
    internal_failure,  ///< The gateway itself could not go on (device, memory, descriptors).
    // Requests
    request_refused,  ///< HTTP that breaks the rules or the limits.
};

/// Where stock openconnect shows the sentence to its user.
enum class ShownIn : std::uint8_t {
    form,         ///< <message> or <error> of the next form.
    status_line,  ///< Printed of an answer to a login request, and of 401 to CONNECT.
    x_reason,     ///< Printed of a 503 to CONNECT, and only then.
    disconnect,   ///< Text behind the reason byte of CSTP DISCONNECT.
    nowhere,      ///< The connection is gone, or ends before any word can be said.
};

/// One row of the table.
struct ReasonRow {
    Reason reason;
    std::string_view name;  ///< "pool-empty": evidence "reason" of the incident; stable.
    Code code;              ///< Of the incident; see `told` for what the client is sent.
    ShownIn shown_in;
    int login_status;                     ///< HTTP status when it answers a login request.
    int connect_status;                   ///< HTTP status when it answers CONNECT.
    protocol::DisconnectByte disconnect;  ///< When it ends a session.
    bool counts_for_ban;                  ///< A failed login, as Admission counts them.
    std::string_view sentence;            ///< For people at the other end, no full stop.
};

std::span<const ReasonRow> reasons();
const ReasonRow& row(Reason reason);

/// A refusal or an end, ready to be told and logged: the row's code, its sentence as the detail
/// (with `particulars` behind a colon when there are any) and evidence "reason". `particulars` go
/// to the client too: nothing that it may not know.
Error refusal(Reason reason, std::string particulars = {}, Evidence evidence = {});

/// The reason an Error was made of by `refusal`, along the chain; nothing for other errors.
const ReasonRow* reason_of(const Error& error);

/// What the client is sent: the first VPN code of the chain (serverDisconnected when it has none),
/// the detail as the sentence, and the incident's id.
protocol::Reason told(const Error& error, std::optional<std::uint64_t> incident);

/// The reason for a client certificate that TLS did not accept: the Tls and Trust codes of the
/// chain decide between expired, not yet valid, revoked, untrusted and unusable; the fault is kept
/// as the cause.
Error certificate_refusal(Error tls_fault);

}  // namespace causeway::gateway
