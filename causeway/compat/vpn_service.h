// The VPN service of causewayd for programs in C, and in every language that can call C: a TUN
// that is set up whole or not at all, sockets that stay outside of it, an end that undoes it all.
//
//     causeway_error *error = NULL;
//     causeway_vpn *vpn = causeway_vpn_set_up(
//         "{\"addresses\": [{\"address\": {\"address\": \"10.8.0.2\"}, \"prefixLength\": 24}]}",
//         &error);
//     if (!vpn) { puts(causeway_error_sentence(error)); causeway_error_free(error); return 70; }
//     causeway_vpn_protect(vpn, my_socket, NULL);     // stays outside of the tunnel
//     read(causeway_vpn_tun(vpn), …);                 // packets, nothing in front of them
//     causeway_vpn_destroy(vpn, NULL);                // everything undone
//
// docs/service.md says what every code means to a program, and what a configuration may hold.
//
// Texts are UTF-8 and end with a zero byte. Calls wait for the service's answer, 60 s at most; one
// handle is for one thread at a time. `error` may be NULL for who does not ask why. When memory is
// out the process ends.

#pragma once

#ifdef __cplusplus
extern "C" {
#endif

/// A tunnel that is up. It ends with `causeway_vpn_destroy`, and with the process, however that
/// ends.
typedef struct causeway_vpn causeway_vpn;

/// Why a call failed. What is handed out belongs to the caller: `causeway_error_free`.
typedef struct causeway_error causeway_error;

/// Sets a tunnel up. `config` is a JSON object; the service is asked at $CAUSEWAY_SOCKET, else at
/// /run/causeway/control.sock. NULL, and `*error`, after PROHIBITED_BY_POLICY (203),
/// PARAMETER_ERROR (401), INVALID_PARAMETER_VALUE (19900001), PERMISSION_DENIED (201),
/// VPN_CREATION_DENIED (2203001), VPN_ALREADY_EXISTS (2203002), CAPABILITY_NOT_SUPPORTED (801) or
/// SYSTEM_INTERNAL_ERROR (19900002, also when no service can be reached).
causeway_vpn* causeway_vpn_set_up(const char* config, causeway_error** error);

/// The TUN: a read gives one packet, a write sends one; non-blocking unless `isBlocking`. It stays
/// the handle's, which closes it.
int causeway_vpn_tun(const causeway_vpn* vpn);
/// 16 hexadecimal digits, and the interface's name; both last as long as the handle.
const char* causeway_vpn_session(const causeway_vpn* vpn);
const char* causeway_vpn_interface(const causeway_vpn* vpn);

/// Keeps an IP socket outside of the tunnel; before it is connected. 0, or -1 and `*error` after
/// INVALID_SOCKET_FD (2203004: not open, not a socket, not an IP socket, in the tunnel already) or
/// PERMISSION_DENIED (201: the session has ended).
int causeway_vpn_protect(causeway_vpn* vpn, int socket, causeway_error** error);

/// What the service says of this session: a JSON object, for `causeway_free`. NULL, and `*error`,
/// after INVALID_PARAMETER_VALUE (it has ended) or SYSTEM_INTERNAL_ERROR.
char* causeway_vpn_status(causeway_vpn* vpn, causeway_error** error);

/// Undoes everything, and frees the handle in any case; NULL is nothing to undo. 0, or -1 and
/// `*error` after SYSTEM_INTERNAL_ERROR: the first thing that could not be undone.
int causeway_vpn_destroy(causeway_vpn* vpn, causeway_error** error);

/// Asks the service something else, "status" with "{}": docs/control-protocol.md has the methods.
/// The result as a JSON object, for `causeway_free`; NULL, and `*error`, after what it refuses.
char* causeway_service_ask(const char* method, const char* params, causeway_error** error);

/// The code as it is published: 2203002.
int causeway_error_code(const causeway_error* error);
/// Its name, "VPN_ALREADY_EXISTS"; one line for people; and the whole incident in the JSON form
/// that all programs of Causeway share, as the service keeps it. They last as long as the error.
const char* causeway_error_name(const causeway_error* error);
const char* causeway_error_sentence(const causeway_error* error);
const char* causeway_error_incident(const causeway_error* error);

/// NULL is nothing to free.
void causeway_error_free(causeway_error* error);
void causeway_free(char* text);

#ifdef __cplusplus
}
#endif
