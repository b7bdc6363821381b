// What a gateway grants a session: the X-CSTP- and X-DTLS- headers of its answer to CONNECT.

#pragma once

#include "causeway/base/address.h"
#include "causeway/base/bytes.h"
#include "causeway/error/error.h"
#include "causeway/protocol/http_message.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace causeway::protocol {

enum class RekeyMethod : std::uint8_t {
    none,
    ssl,         ///< In place: TLS 1.2 renegotiation or TLS 1.3 key update.
    new_tunnel,  ///< A second connection with the same cookie takes over.
};

/// The UDP channel the gateway offers beside the TLS one.
struct DatagramParameters {
    std::uint16_t port = 0;
    Bytes app_id = {};      ///< Names the session in the ClientHello; 1..32 bytes, or none.
    Bytes session_id = {};  ///< Of the session to resume (X-DTLS-Session-ID); 32 bytes, or none.
    /// "PSK-NEGOTIATE" (X-DTLS-CipherSuite), or a name of datagram_suites.h.
    std::string cipher_suite = {};
    bool resumes = false;  ///< The suite came in X-DTLS12-CipherSuite: see `session_id`.
    /// X-Causeway-Datagram: the gateway is our own; what a MovingDatagram names the session by.
    Bytes connection_id = {};
    std::chrono::seconds dpd{};
    std::chrono::seconds keepalive{};
    std::chrono::seconds rekey_time{};
    RekeyMethod rekey_method = RekeyMethod::none;
    int mtu = 0;  ///< X-DTLS-MTU, or 0.
    bool operator==(const DatagramParameters&) const = default;
};

/// Zero seconds mean "none" throughout.
struct SessionParameters {
    std::string server_name;
    std::string hostname;

    std::optional<Prefix> address_v4;  ///< Ours in the tunnel, with its mask (32 when none came).
    std::optional<Prefix> address_v6;

    std::vector<Prefix> include;  ///< Routes into the tunnel; empty: everything.
    std::vector<Prefix> exclude;  ///< Routes past the tunnel.
    bool excludes_local_network = false;

    std::vector<IpAddress> dns;
    std::vector<IpAddress> nbns;
    std::vector<std::string> domains;    ///< To search.
    std::vector<std::string> split_dns;  ///< Only these are asked through the tunnel.
    bool tunnels_all_dns = false;

    int mtu = 0;       ///< Of the tunnel; always set after reading.
    int base_mtu = 0;  ///< Of the link below, or 0.

    std::chrono::seconds dpd{};
    std::chrono::seconds keepalive{};
    std::chrono::seconds idle_timeout{};
    std::chrono::seconds session_timeout{};  ///< What remains of it.
    std::chrono::seconds disconnected_timeout{};
    std::chrono::seconds rekey_time{};
    RekeyMethod rekey_method = RekeyMethod::none;

    std::string banner;
    std::string proxy_url;
    bool bypasses_other_family = false;  ///< A family without address may go past the tunnel.
    bool bundles = false;                ///< Several packets in a TLS record are welcome.
    bool has_dynamic_address = false;    ///< Resolve the gateway's name again on reconnect.

    std::optional<DatagramParameters> datagram;

    bool operator==(const SessionParameters&) const = default;
};

/// Reads what a gateway granted. Unknown headers are skipped. Fails with negotiationFailed: a value
/// that cannot be read (named with its header), no address, no MTU, a compression we never offered.
/// An IPv6 address is dropped when the MTU is below the 1280 that IPv6 needs.
Result<SessionParameters> read_session_parameters(const Headers& headers);

/// The same headers, spelled and ordered as stock clients know them. For a client that does not
/// know the `-IP6` headers an IPv6 address comes as a second X-CSTP-Address, without routes.
void write_session_parameters(const SessionParameters& parameters, Headers& headers,
                              bool knows_v6_headers = true);

}  // namespace causeway::protocol
