#include "causeway/gateway/config_keys.h"

#include "causeway/base/text.h"
#include "causeway/protocol/limits.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace causeway::gateway {
namespace {

constexpr std::int64_t day = 86400;

constexpr auto text = program::text_key;
constexpr auto flag = program::flag_key;
constexpr ConfigKey lines(std::string_view section, std::string_view name, std::int64_t smallest,
                          std::int64_t largest, std::string_view standard,
                          std::string_view description) {
    return {section, name, KeyKind::lines, smallest, largest, "", standard, description};
}
constexpr ConfigKey path(std::string_view section, std::string_view name, std::string_view standard,
                         std::string_view description) {
    return text(section, name, 1, program::path_size, standard, description);
}
constexpr ConfigKey list(std::string_view section, std::string_view name,
                         std::string_view description) {
    return program::list_key(section, name, "[]", description);
}
constexpr ConfigKey number(std::string_view section, std::string_view name, std::int64_t smallest,
                           std::int64_t largest, std::string_view standard,
                           std::string_view description) {
    return {section, name, KeyKind::number, smallest, largest, "", standard, description};
}
constexpr ConfigKey seconds(std::string_view section, std::string_view name, std::int64_t smallest,
                            std::int64_t largest, std::string_view standard,
                            std::string_view description) {
    return {section, name, KeyKind::seconds, smallest, largest, "", standard, description};
}
constexpr ConfigKey choice(std::string_view section, std::string_view name,
                           std::string_view choices, std::string_view standard,
                           std::string_view description) {
    return {section, name, KeyKind::choice, 0, 0, choices, standard, description};
}

constexpr auto keys = std::to_array<ConfigKey>({
    {"", "listen", KeyKind::text_list, 1, 64, "", "", "Addresses and ports to listen on."},
    text("", "server_name", 1, 253, "the machine's host name", "Name that clients are told."),
    path("", "certificate", "", "The gateway's certificate and those above it, PEM, leaf first."),
    path("", "key", "", "The key of the certificate, PEM."),
    path("", "key_password_file", "", "File whose first line is the password of the key."),
    text("", "interface", 1, 15, "\"causeway0\"", "Name of the TUN interface for all clients."),
    text("", "run_as_user", 1, 32, "", "User to become once the sockets are open."),
    text("", "run_as_group", 1, 32, "", "Group to become; else the user's own."),
    path("", "control_socket", "\"/run/causeway-gateway/control\"",
         "Unix socket for causeway-gateway sessions, status, bans, disconnect, unban, incident."),
    number("", "threads", 0, 256, "0", "Threads that carry sessions; 0: one for each processor."),
    lines("", "banner", 0, 2000, "\"\"", "Shown to everybody before the login."),
    text("", "default_group", 1, 32, "the first group",
         "Group of those who ask for none and whose line in the users file names none."),
    path("", "log", "\"stderr\"", "\"stderr\", \"journal\", or the path of a file."),
    number("", "incidents_kept", 1, 100000, "1000",
           "Incidents kept in memory for causeway-gateway incident."),

    choice("authentication", "method", "password|certificate|both|either", "\"password\"",
           "How clients prove who they are."),
    path("authentication", "users_file", "", "Users and their password hashes."),
    path("authentication", "client_ca", "", "Who may sign client certificates, PEM."),
    path("authentication", "crl_file", "", "Client certificates that were revoked, PEM."),
    choice("authentication", "certificate_refusal", "words|alert", "\"words\"",
           "Tell why a certificate is refused in words (403) or by a TLS alert."),
    text("authentication", "username_from", 1, 64, "\"CN\"",
         "Where a certificate names its user: an attribute of the subject, an OID, SAN:email."),
    text("authentication", "group_from", 1, 64, "",
         "Where a certificate names its group; the same choices."),
    number("authentication", "tries", 1, 10, "3", "Passwords that may be tried in one login."),
    number("authentication", "threads", 1, 64, "2", "Password hashes computed at the same time."),
    number("authentication", "queue", 1, 100000, "512", "Password checks that may wait."),
    seconds("authentication", "login_timeout", 5, 3600, "240",
            "How long a login may take, typing included."),

    text("network", "ipv4_pool", 1, 64, "", "Addresses for clients: a prefix, or first-last."),
    text("network", "ipv6_pool", 1, 96, "", "The same for IPv6."),
    list("network", "include", "Only these networks go through the tunnel; none: everything."),
    list("network", "exclude", "Networks that stay outside the tunnel."),
    list("network", "dns", "Name servers for clients."),
    list("network", "search_domains", "Domains that short names are completed with."),
    list("network", "split_dns", "Only these domains are looked up through the tunnel."),
    flag("network", "tunnel_all_dns", "false", "Look up every name through the tunnel."),
    flag("network", "client_to_client", "false", "Let clients reach one another."),
    number("network", "mtu", 576, protocol::datagram_packet_limit, "1400",
           "Largest packet inside the tunnel, in bytes."),

    seconds("session", "dpd", 0, 3600, "30", "Ask after a silent peer; dead after twice this."),
    seconds("session", "keepalive", 0, 3600, "300", "Send something at least this often."),
    seconds("session", "idle_timeout", 0, 30 * day, "0", "End a session without data; 0: never."),
    seconds("session", "session_timeout", 0, 365 * day, "0",
            "End a session after this long; 0: never."),
    seconds("session", "cookie_timeout", 10, 7 * day, "300",
            "How long a session without connection may be taken up again."),
    seconds("session", "rekey_time", 10, 30 * day, "86400", "Fresh keys this often."),
    choice("session", "rekey_method", "ssl|new-tunnel|none", "\"new-tunnel\"",
           "In place, by a new connection, or not at all."),

    flag("datagram", "enabled", "true",
         "Carry packets in UDP datagrams where the network lets them."),
    number("datagram", "port", 0, 65535, "0", "UDP port; 0: the TCP port of each address."),
    flag("datagram", "psk", "true", "Keys from the TLS channel; else from the client's secret."),
    {"datagram", "suites", KeyKind::text_list, 1, 3, "",
     "[\"aes-128-gcm\", \"aes-256-gcm\", \"chacha20-poly1305\"]",
     "Ciphers of datagrams, the most wanted first."},
    seconds("datagram", "dpd", 0, 3600, "30", "Ask after a client whose datagrams do not come."),
    seconds("datagram", "keepalive", 0, 3600, "20",
            "Have clients send a datagram at least this often."),
    choice("datagram", "crypto", "auto|ipsec-mb|evp", "\"auto\"",
           "What computes the ciphers: the fastest there is, intel-ipsec-mb, or OpenSSL."),

    number("limits", "sessions", 0, 1000000, "0", "Sessions in all; 0: no limit."),
    number("limits", "sessions_per_user", 0, 100000, "0", "Sessions of one user; 0: no limit."),
    number("limits", "connections_per_address", 0, 1000000, "512",
           "TCP connections of one address (IPv6: one /64) at once; 0: no limit."),

    number("ban", "failures", 0, 1000, "10", "Failed logins that end in a ban; 0: no bans."),
    seconds("ban", "window", 1, 30 * day, "600", "They count when they are no older than this."),
    seconds("ban", "duration", 1, 365 * day, "600", "How long a ban holds."),

    choice("tls", "minimum_version", "1.0|1.1|1.2|1.3", "\"1.2\"", "The oldest TLS accepted."),
    choice("tls", "maximum_version", "1.2|1.3", "\"1.3\"", "The newest TLS offered."),
    flag("tls", "forward_secrecy", "true", "Only suites with (elliptic curve) Diffie-Hellman."),
    number("tls", "rsa_bits", 1024, 16384, "2048", "Smallest RSA key of a client certificate."),
    number("tls", "elliptic_bits", 160, 521, "256",
           "Smallest elliptic curve key of a client certificate."),
    flag("tls", "sha1_signatures", "false", "Accept client certificates signed with SHA-1."),

    text("group", "name", 1, 32, "", "What the users file and certificates call the group."),
    text("group", "label", 1, 64, "the name", "What the list that clients are shown calls it."),
    text("group", "ipv4_pool", 1, 64, "network.ipv4_pool", "Addresses for this group."),
    text("group", "ipv6_pool", 1, 96, "network.ipv6_pool", "The same for IPv6."),
    list("group", "include", "In place of network.include."),
    list("group", "exclude", "In place of network.exclude."),
    list("group", "dns", "In place of network.dns."),
    list("group", "search_domains", "In place of network.search_domains."),
    list("group", "split_dns", "In place of network.split_dns."),
    flag("group", "tunnel_all_dns", "network.tunnel_all_dns", "In place of network's."),
    number("group", "sessions", 0, 1000000, "0", "Sessions of the whole group; 0: no limit."),
    number("group", "sessions_per_user", 0, 100000, "limits.sessions_per_user",
           "Sessions of one user of this group; 0: no limit."),
    seconds("group", "idle_timeout", 0, 30 * day, "session.idle_timeout", "As in [session]."),
    seconds("group", "session_timeout", 0, 365 * day, "session.session_timeout",
            "As in [session]."),
    lines("group", "banner", 0, 2000, "\"\"", "Shown after the login."),
});

}  // namespace

program::ConfigKeys config_keys() { return keys; }

}  // namespace causeway::gateway
