// The gateway's configuration: a TOML file, every key checked, constant once it is read.
//
// The keys, their meaning and their defaults are in the table of config_keys.h; the commented
// example is docs/gateway.toml.

#pragma once

#include "causeway/base/address.h"
#include "causeway/datapath/record_suite.h"
#include "causeway/error/error.h"
#include "causeway/tls/policy.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace causeway::gateway {

/// How a client proves who it is.
enum class LoginMethod : std::uint8_t {
    password,     ///< A password; no client certificate is asked for.
    certificate,  ///< A client certificate alone.
    both,         ///< A client certificate, then the password of the user it names.
    either,       ///< A client certificate when there is one, else a password.
};

/// What the TLS handshake asks of the client; follows from the LoginMethod.
enum class ClientCertificate : std::uint8_t { none, optional, required };

/// How a refused client certificate is told.
enum class CertificateRefusal : std::uint8_t {
    words,  ///< The handshake is finished and the first request answered 403 with a sentence.
    alert,  ///< The exact TLS alert ends the handshake; stock clients print no reason of it.
};

enum class RekeyMethod : std::uint8_t { none, ssl, new_tunnel };

/// Addresses for clients, all of one family.
struct Pool {
    Prefix network;     ///< What the device routes to the clients, and the netmask they are told.
    IpAddress gateway;  ///< The gateway's own address inside; never leased.
    IpAddress first;    ///< First and last that may be leased, both included.
    IpAddress last;
    auto operator<=>(const Pool&) const = default;
};

/// What a session of a group gets. Keys a group does not set have the values of [network],
/// [session] and [limits] here: nothing has to be looked up twice.
struct Group {
    std::string name;
    std::string label;  ///< What the client's group list shows; the name when not set.
    std::optional<std::size_t> pool4;  ///< Index into Config::pools.
    std::optional<std::size_t> pool6;
    std::vector<Prefix> include;  ///< Split tunnel: only these; empty: everything.
    std::vector<Prefix> exclude;
    std::vector<IpAddress> dns;
    std::vector<std::string> search_domains;
    std::vector<std::string> split_dns;  ///< Only these domains are asked through the tunnel.
    bool tunnel_all_dns = false;
    std::size_t sessions_per_user = 0;       ///< 0: no limit.
    std::size_t sessions = 0;                ///< Of the whole group; 0: no limit.
    std::chrono::seconds idle_timeout{};     ///< 0: none.
    std::chrono::seconds session_timeout{};  ///< 0: none.
    std::string banner;
    bool operator==(const Group&) const = default;
};

/// Failures from one address (IPv6: one /64) that end in a ban.
struct BanRule {
    std::size_t failures = 10;  ///< So many within `window`; 0 switches bans off.
    std::chrono::seconds window{600};
    std::chrono::seconds duration{600};
    bool operator==(const BanRule&) const = default;
};

struct Limits {
    std::size_t sessions = 0;                   ///< In all; 0: no limit.
    std::size_t connections_per_address = 512;  ///< TCP connections at once; 0: no limit.
    bool operator==(const Limits&) const = default;
};

struct Authentication {
    LoginMethod method = LoginMethod::password;
    std::string users_file;  ///< Empty only when `method` is certificate.
    std::string client_ca;   ///< PEM file; empty when no client certificate is asked for.
    std::string crl_file;    ///< PEM file; empty: no revocation list.
    CertificateRefusal certificate_refusal = CertificateRefusal::words;
    std::string username_from = "CN";         ///< As tls::CertificateInfo::attribute takes it.
    std::string group_from;                   ///< The same; empty: certificates name no group.
    std::size_t tries = 3;                    ///< Passwords in one login.
    std::size_t threads = 2;                  ///< Of causeway-auth; one hash each at a time.
    std::size_t queue = 512;                  ///< Password checks waiting at most.
    std::chrono::seconds login_timeout{240};  ///< A whole login, typing included.

    ClientCertificate client_certificate() const;
    bool needs_password() const { return method != LoginMethod::certificate; }
    bool operator==(const Authentication&) const = default;
};

struct SessionSettings {
    int mtu = 1400;                       ///< 576..16383; at least 1280 when there is an IPv6 pool.
    std::chrono::seconds dpd{30};         ///< 0: none.
    std::chrono::seconds keepalive{300};  ///< 0: none.
    std::chrono::seconds cookie_timeout{300};
    std::chrono::seconds rekey_time{86400};  ///< 0 together with RekeyMethod::none.
    RekeyMethod rekey_method = RekeyMethod::new_tunnel;
    bool client_to_client = false;
    bool operator==(const SessionSettings&) const = default;
};

/// The datagram channel beside the TLS one.
struct DatagramSettings {
    bool enabled = true;
    std::uint16_t port = 0;  ///< UDP; 0: the TCP port of each address of `listen`.
    /// Keys from the TLS channel (PSK-NEGOTIATE). Without it only from the client's master secret.
    bool psk = true;
    /// The most wanted first; never empty.
    std::vector<datapath::RecordSuite> suites = {datapath::RecordSuite::aes128_gcm,
                                                 datapath::RecordSuite::aes256_gcm,
                                                 datapath::RecordSuite::chacha20_poly1305};
    std::chrono::seconds dpd{30};
    std::chrono::seconds keepalive{20};
    datapath::CryptoBackend crypto = datapath::CryptoBackend::automatic;
    bool operator==(const DatagramSettings&) const = default;
};

struct LogSettings {
    enum class Target : std::uint8_t { standard_error, journal, file };
    Target target = Target::standard_error;
    std::string file;         ///< Set when `target` is file.
    std::size_t kept = 1000;  ///< Incidents in memory for `causeway-gateway incident ID`.
    bool operator==(const LogSettings&) const = default;
};

struct Config {
    std::string path;  ///< The file it was read from.

    std::vector<Endpoint> listen;
    std::string server_name;  ///< What clients are told; the host name when not set.
    std::string certificate;  ///< PEM file, leaf first.
    std::string key;          ///< PEM file.
    std::string key_password_file;
    std::string interface = "causeway0";
    std::string run_as_user;   ///< Empty: "causeway" if there is such a user, else "nobody".
    std::string run_as_group;  ///< Empty: the primary group of `run_as_user`.
    std::string control_socket = "/run/causeway-gateway/control";
    std::size_t threads = 0;  ///< Shards; 0: one for each core.
    std::string banner;       ///< Shown before the login.

    tls::Policy policy;
    Authentication authentication;
    SessionSettings session;
    DatagramSettings datagram;
    Limits limits;
    BanRule ban;
    LogSettings log;

    std::vector<Pool> pools;    ///< Disjoint. Groups refer to them by index.
    std::vector<Group> groups;  ///< Never empty; in the order of the file.
    std::size_t default_group = 0;
    bool offers_groups = false;  ///< The file names groups: clients are shown a list.

    /// By name or label, as clients send either; nothing when there is none.
    const Group* group(std::string_view name_or_label) const;
};

/// Reads the text of a configuration. Every fault of the file is found at once.
///
/// Fails with configurationFailed; the detail is the first fault ("FILE:LINE:COLUMN: key …, value
/// …, allowed …") and the evidence lists them all as "fault_1", "fault_2" … with their count as
/// "faults". No file that the text names is touched.
Result<Config> parse_config(std::string_view text, const std::string& path);

/// Reads the file. Fails as `parse_config`, and with configurationFailed <- the errno when the
/// file cannot be read.
Result<Config> load_config(const std::string& path);

}  // namespace causeway::gateway
