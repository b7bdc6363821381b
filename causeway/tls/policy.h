// The transport policy: what a channel must be before anything is sent through it.
//
// Seven rules, each with a code of its own (errSSLATS…, -9880..-9886): TLS at all, its version,
// forward secrecy, the size of keys, the hash under the leaf's signature, the hash under the other
// certificates' signatures, and whom to trust. All are on by default; each exception is a field
// here, so that it has to be written down.

#pragma once

#include "causeway/error/error.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace causeway::tls {

/// As they are numbered on the wire.
enum class Version : std::uint16_t {
    tls_1_0 = 0x0301,
    tls_1_1 = 0x0302,
    tls_1_2 = 0x0303,
    tls_1_3 = 0x0304,
};

/// "TLS 1.2"; "version 0x0505" for a number nobody has assigned.
std::string name(Version version);
/// From "1.2", "TLS 1.2" or "TLSv1.2", in any case.
std::optional<Version> parse_version(std::string_view text);

struct Policy {
    Version minimum_version = Version::tls_1_2;  ///< Nothing lower is ever offered or accepted.
    Version maximum_version = Version::tls_1_3;
    /// Only suites with ephemeral elliptic-curve keys. Others are still named at the end of a
    /// client's offer, so that a server that has nothing better can be told which rule it breaks.
    bool forward_secrecy = true;
    int rsa_bits = 2048;      ///< Smallest RSA key in a peer's chain; 0 accepts all.
    int elliptic_bits = 256;  ///< Smallest elliptic-curve key in a peer's chain; 0 accepts all.
    int diffie_hellman_bits = 2048;  ///< Smallest finite-field group, where one is used at all.
    bool leaf_hash_sha256 = true;    ///< The leaf is signed with SHA-256 or better.
    bool chain_hash_sha256 = true;   ///< So are the other certificates, but for the trusted root.

    std::string suites_1_2 =
        {};  ///< OpenSSL cipher string for TLS 1.2 and lower; empty: the policy's.
    std::string suites_1_3 = {};  ///< OpenSSL names, colons between; empty: the policy's.
    std::string groups = {};      ///< OpenSSL group list; empty: X25519:P-256:P-384:P-521.
};

/// Fails with errSSLConfigurationFailed when the versions contradict each other or a number is
/// negative.
Result<void> check(const Policy& policy);

/// Whether the policy's list has that suite (its IANA number). TLS 1.3 suites are all in it.
bool has_forward_secrecy(std::uint16_t suite);

}  // namespace causeway::tls
