#include "causeway/tls/policy.h"

#include "causeway/base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace causeway::tls {
namespace {

// Ephemeral elliptic-curve keys, AES-GCM, ChaCha20 or AES-CBC with SHA; all of TLS 1.3.
constexpr std::array<std::uint16_t, 13> secret_suites = {
    0x1301, 0x1302, 0x1303, 0xC02C, 0xC02B, 0xCCA9, 0xC030,
    0xC02F, 0xCCA8, 0xC00A, 0xC009, 0xC014, 0xC013,
};

}  // namespace

std::string name(Version version) {
    switch (version) {
        case Version::tls_1_0: return "TLS 1.0";
        case Version::tls_1_1: return "TLS 1.1";
        case Version::tls_1_2: return "TLS 1.2";
        case Version::tls_1_3: return "TLS 1.3";
    }
    if (std::to_underlying(version) == 0x0300) return "SSL 3.0";
    return fmt::format("version 0x{:04x}", std::to_underlying(version));
}

std::optional<Version> parse_version(std::string_view text) {
    for (const auto version :
         {Version::tls_1_0, Version::tls_1_1, Version::tls_1_2, Version::tls_1_3}) {
        const auto number = name(version).substr(4);
        for (const auto* prefix : {"", "TLS ", "TLSv", "TLS"})
            if (equals_ignoring_case(text, prefix + number)) return version;
    }
    return std::nullopt;
}

Result<void> check(const Policy& policy) {
    if (policy.minimum_version > policy.maximum_version)
        return fail(Tls::errSSLConfigurationFailed,
                    fmt::format("the lowest version allowed, {}, is above the highest, {}",
                                name(policy.minimum_version), name(policy.maximum_version)));
    const std::pair<std::string_view, int> sizes[] = {
        {"rsa_bits", policy.rsa_bits},
        {"elliptic_bits", policy.elliptic_bits},
        {"diffie_hellman_bits", policy.diffie_hellman_bits}};
    for (const auto& [key, bits] : sizes)
        if (bits < 0 || bits > 16384)
            return fail(Tls::errSSLConfigurationFailed,
                        fmt::format("{} is {}, which is not within 0 and 16384", key, bits));
    return {};
}

bool has_forward_secrecy(std::uint16_t suite) {
    return std::ranges::find(secret_suites, suite) != secret_suites.end();
}

}  // namespace causeway::tls
