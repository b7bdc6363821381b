#include "causeway/tls/context.h"

#include "causeway/base/text.h"
#include "causeway/tls/certificate_parts.h"
#include "causeway/tls/context_parts.h"
#include "causeway/tls/engine.h"
#include "causeway/tls/identity_parts.h"
#include "causeway/tls/limits.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace causeway::tls {
namespace {

// AES-128 first: as safe as anything here, and the fastest.
constexpr auto secret_suites =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
    "ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA:"
    "ECDHE-ECDSA-AES256-SHA:ECDHE-RSA-AES256-SHA";
// Without forward secrecy by the policy's list. A client names them last even where the policy
// forbids them: a server that has nothing else then chooses one and can be told which rule it
// broke, where it would otherwise only say that the handshake failed.
constexpr auto other_suites =
    ":DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384:"
    "AES128-GCM-SHA256:AES256-GCM-SHA384:AES128-SHA:AES256-SHA";
constexpr auto suites_1_3 =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr auto default_groups = "X25519:P-256:P-384:P-521";

std::unexpected<Error> refused(Tls code, std::string detail) {
    const auto reason = openssl_reason(take_openssl_faults());
    Error error{code, std::move(detail)};
    if (!reason.empty()) error.with("openssl_reason", reason);
    return std::unexpected(std::move(error));
}

/// Whether the library has what we need: with a broken configuration file (OPENSSL_CONF) it starts
/// all the same and then refuses everything with one and the same reason.
Result<void> check_library() {
    start_openssl();
    if (!OSSL_PROVIDER_available(nullptr, "default") && !OSSL_PROVIDER_available(nullptr, "fips"))
        return refused(Tls::errSSLModuleAttach,
                       "OpenSSL could load none of its cryptographic modules");
    using DigestPtr = std::unique_ptr<EVP_MD, OpensslDeleter<EVP_MD_free>>;
    using CipherPtr = std::unique_ptr<EVP_CIPHER, OpensslDeleter<EVP_CIPHER_free>>;
    const DigestPtr digest(EVP_MD_fetch(nullptr, "SHA256", nullptr));
    const CipherPtr cipher(EVP_CIPHER_fetch(nullptr, "AES-128-GCM", nullptr));
    if (!digest || !cipher)
        return refused(Tls::errSSLCrypto,
                       "OpenSSL offers no SHA-256 or no AES-128-GCM as it is configured");
    return {};
}

/// 2 is at least 112 bits of strength. Where an exception of the policy allows less, OpenSSL must
/// not object first; the policy's own checks remain.
int security_level(const Policy& policy) {
    const bool is_weakened = policy.minimum_version < Version::tls_1_2 ||
                             !policy.leaf_hash_sha256 || !policy.chain_hash_sha256 ||
                             policy.rsa_bits < 2048 || policy.diffie_hellman_bits < 2048 ||
                             policy.elliptic_bits < 224;
    return is_weakened ? 0 : 2;
}

std::string suites_of(const Policy& policy, bool is_server) {
    if (!policy.suites_1_2.empty()) return policy.suites_1_2;
    std::string suites = secret_suites;
    if (!is_server || !policy.forward_secrecy) suites += other_suites;
    return suites;
}

Result<void> apply(const Policy& policy, bool is_server, SSL_CTX* context) {
    if (auto checked = check(policy); !checked) return checked;
    SSL_CTX_set_security_level(context, security_level(policy));
    if (SSL_CTX_set_min_proto_version(context, std::to_underlying(policy.minimum_version)) != 1 ||
        SSL_CTX_set_max_proto_version(context, std::to_underlying(policy.maximum_version)) != 1)
        return refused(Tls::errSSLConfigurationFailed,
                       fmt::format("the channel cannot be limited to {} up to {}",
                                   name(policy.minimum_version), name(policy.maximum_version)));
    const auto suites = suites_of(policy, is_server);
    if (SSL_CTX_set_cipher_list(context, suites.c_str()) != 1)
        return refused(Tls::errSSLConfigurationFailed,
                       "no suite for TLS 1.2 is left of " + printable(suites));
    const auto newer = policy.suites_1_3.empty() ? suites_1_3 : policy.suites_1_3;
    if (SSL_CTX_set_ciphersuites(context, newer.c_str()) != 1)
        return refused(Tls::errSSLConfigurationFailed,
                       "the list of suites for TLS 1.3 is refused: " + printable(newer));
    const auto groups = policy.groups.empty() ? default_groups : policy.groups;
    if (SSL_CTX_set1_groups_list(context, groups.c_str()) != 1)
        return refused(Tls::errSSLConfigurationFailed,
                       "the list of groups is refused: " + printable(groups));
    return {};
}

Result<std::vector<CrlPtr>> read_lists(std::string_view pem) {
    std::vector<CrlPtr> lists;
    const auto source = reading(pem);
    while (lists.size() < certificate_limit) {
        CrlPtr list(PEM_read_bio_X509_CRL(source.get(), nullptr, nullptr, nullptr));
        if (!list) break;
        lists.push_back(std::move(list));
    }
    const bool is_at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    const auto reason = openssl_reason(take_openssl_faults());
    if (is_at_end && !lists.empty()) return lists;
    return fail(Tls::errSSLBadCert,
                fmt::format("revocation list {} of the text cannot be read", lists.size() + 1),
                Error{Trust::errSecDecode, reason});
}

Result<void> add_authorities(Context::Parts& parts) {
    auto* store = SSL_CTX_get_cert_store(parts.context.get());
    auto authorities = parse_certificates(parts.trust.authorities);
    if (!authorities) return pass(authorities);
    // Whoever names an issuer wants it trusted, whether or not it is a root.
    X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
    for (const auto& authority : *authorities) {
        X509_STORE_add_cert(store, authority.get());
        if (parts.is_server) SSL_CTX_add_client_CA(parts.context.get(), authority.get());
    }
    parts.trusted = fmt::format("{} given", authorities->size());
    return {};
}

Result<void> apply_trust(Context::Parts& parts) {
    auto* context = parts.context.get();
    parts.trusted = "nobody";
    if (!parts.trust.authorities.empty()) {
        if (auto added = add_authorities(parts); !added) return added;
    } else if (parts.trust.system_store) {
        if (SSL_CTX_set_default_verify_paths(context) != 1)
            return refused(Tls::errSSLConfigurationFailed,
                           "the system's store of trusted certificates cannot be opened");
        parts.trusted = "the system's store";
    }
    if (!parts.trust.revocation_lists.empty()) {
        auto lists = read_lists(parts.trust.revocation_lists);
        if (!lists) return pass(lists);
        for (const auto& list : *lists)
            X509_STORE_add_crl(SSL_CTX_get_cert_store(context), list.get());
        parts.checks_revocation = true;
    }
    parts.trust.authorities = {};
    parts.trust.revocation_lists = {};
    return {};
}

Result<Bytes> wire_protocols(const std::vector<std::string>& protocols) {
    Bytes wire;
    for (const auto& protocol : protocols) {
        if (protocol.empty() || protocol.size() > 255)
            return fail(Tls::errSSLConfigurationFailed,
                        fmt::format("the application protocol \"{}\" must have 1 to 255 bytes",
                                    printable(protocol)));
        wire.push_back(static_cast<std::byte>(protocol.size()));
        append(wire, as_bytes(protocol));
    }
    if (wire.size() > 65535)
        return fail(Tls::errSSLConfigurationFailed, "too many application protocols");
    return wire;
}

Result<void> apply_identity(const Identity& identity, SSL_CTX* context) {
    if (install(identity, context)) return {};
    return refused(Tls::errSSLConfigurationFailed,
                   "the channel refuses the certificate " + identity.certificate().subject);
}

/// All that client and server have in common.
Result<void> prepare(Context::Parts& parts, const std::vector<std::string>& protocols) {
    if (auto ready = check_library(); !ready) return ready;
    parts.context.reset(SSL_CTX_new(parts.is_server ? TLS_server_method() : TLS_client_method()));
    if (!parts.context) return refused(Tls::errSSLCrypto, "OpenSSL makes no context");
    auto* context = parts.context.get();
    // No resumption: every connection judges the other side's certificate anew, and a server
    // keeps nothing about clients that are gone.
    SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_AUTO_RETRY);
    SSL_CTX_set_max_cert_list(context, static_cast<long>(peer_chain_limit));
    if (auto applied = apply(parts.policy, parts.is_server, context); !applied) return applied;
    if (auto applied = apply_trust(parts); !applied) return applied;
    auto wire = wire_protocols(protocols);
    if (!wire) return pass(wire);
    parts.protocols = std::move(*wire);
    install_callbacks(context);
    return {};
}

int verify_mode(const ServerSettings& settings) {
    if (settings.client_certificate == ClientCertificate::none) return SSL_VERIFY_NONE;
    const bool must_fail = settings.client_certificate == ClientCertificate::required &&
                           settings.refusal == Refusal::alert;
    return SSL_VERIFY_PEER | (must_fail ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0);
}

}  // namespace

Context::Context(std::unique_ptr<const Parts> parts) : parts_(std::move(parts)) {}
Context::~Context() = default;
bool Context::is_server() const { return parts_->is_server; }

Result<std::shared_ptr<const Context>> Context::client(ClientSettings settings) {
    auto parts = std::make_unique<Parts>();
    parts->policy = std::move(settings.policy);
    parts->trust = std::move(settings.trust);
    parts->handshake_limit = settings.handshake_limit;
    if (auto ready = prepare(*parts, settings.protocols); !ready) return pass(ready);
    auto* context = parts->context.get();
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    const auto& wire = parts->protocols;
    if (!wire.empty() &&
        SSL_CTX_set_alpn_protos(context, raw(wire), static_cast<unsigned>(wire.size())) != 0)
        return refused(Tls::errSSLConfigurationFailed, "the application protocols are refused");
    if (settings.identity)
        if (auto applied = apply_identity(*settings.identity, context); !applied)
            return pass(applied);
    return std::shared_ptr<const Context>(new Context(std::move(parts)));
}

Result<std::shared_ptr<const Context>> Context::server(ServerSettings settings) {
    if (settings.identities.empty())
        return fail(Tls::errSSLBadConfiguration, "a server needs a certificate and its key");
    if (settings.client_certificate != ClientCertificate::none &&
        settings.trust.authorities.empty())
        return fail(
            Tls::errSSLConfigurationFailed,
            "client certificates are asked for, but no authority that issues them is named");
    auto parts = std::make_unique<Parts>();
    parts->is_server = true;
    parts->policy = std::move(settings.policy);
    parts->trust = std::move(settings.trust);
    parts->handshake_limit = settings.handshake_limit;
    parts->refuse_unknown_names = settings.refuse_unknown_names;
    parts->client_certificate = settings.client_certificate;
    parts->refusal = settings.refusal;
    parts->renegotiation_interval = settings.renegotiation_interval;
    if (auto ready = prepare(*parts, settings.protocols); !ready) return pass(ready);
    auto* context = parts->context.get();
    SSL_CTX_set_verify(context, verify_mode(settings), nullptr);
    SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA |
                                     SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_num_tickets(context, 0);
    SSL_CTX_set_dh_auto(context, 1);
    if (auto applied = apply_identity(settings.identities.front(), context); !applied)
        return pass(applied);
    parts->identities = std::move(settings.identities);
    return std::shared_ptr<const Context>(new Context(std::move(parts)));
}

}  // namespace causeway::tls
