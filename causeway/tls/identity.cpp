#include "causeway/tls/identity.h"

#include "causeway/base/text.h"
#include "causeway/tls/certificate_parts.h"
#include "causeway/tls/identity_parts.h"
#include "causeway/tls/limits.h"
#include "causeway/tls/validity.h"

#include <algorithm>
#include <cstring>

namespace causeway::tls {
namespace {

struct PasswordRequest {
    const Secret& password;
    bool was_asked = false;
};

int give_password(char* buffer, int capacity, int, void* user) {
    auto& request = *static_cast<PasswordRequest*>(user);
    request.was_asked = true;
    const auto text = request.password.reveal();
    if (text.empty() || std::cmp_greater(text.size(), capacity)) return -1;
    std::memcpy(buffer, text.data(), text.size());
    return static_cast<int>(text.size());
}

Result<KeyPtr> read_key(const Secret& pem, const Secret& password) {
    PasswordRequest request{password};
    const auto source = reading(pem.reveal());
    KeyPtr key(PEM_read_bio_PrivateKey(source.get(), nullptr, give_password, &request));
    const auto reason = openssl_reason(take_openssl_faults());
    if (key) return key;
    if (request.was_asked && password.empty())
        return fail(Tls::errSSLConfigurationFailed,
                    "the private key is encrypted and no password for it was given",
                    Error{Trust::errSecAuthFailed, reason});
    if (request.was_asked)
        return fail(Tls::errSSLConfigurationFailed, "the password does not open the private key",
                    Error{Trust::errSecAuthFailed, reason});
    return fail(Tls::errSSLBadCert, "the text holds no private key that can be read",
                Error{Trust::errSecDecode, reason});
}

/// The certificate of the key first, then whoever issued the one before.
Result<std::vector<CertificatePtr>> in_order(std::vector<CertificatePtr> certificates,
                                             EVP_PKEY* key) {
    const auto own = std::ranges::find_if(certificates, [&](const CertificatePtr& certificate) {
        return X509_check_private_key(certificate.get(), key) == 1;
    });
    ERR_clear_error();
    if (own == certificates.end()) {
        const auto first = info_of(certificates.front().get());
        return fail(Tls::errSSLBadConfiguration,
                    "the private key does not belong to the certificate of " + first.subject,
                    {{"subject", first.subject}});
    }
    std::vector<CertificatePtr> ordered;
    ordered.push_back(std::move(*own));
    certificates.erase(own);
    while (true) {
        auto* last = ordered.back().get();
        const auto issuer = std::ranges::find_if(certificates, [&](const CertificatePtr& other) {
            return X509_check_issued(other.get(), last) == X509_V_OK;
        });
        if (issuer == certificates.end()) return ordered;
        ordered.push_back(std::move(*issuer));
        certificates.erase(issuer);
    }
}

using StackPtr =
    std::unique_ptr<STACK_OF(X509), decltype([](STACK_OF(X509) * stack) { sk_X509_free(stack); })>;

StackPtr issuers_of(const Identity::Parts& parts) {
    StackPtr stack(sk_X509_new_null());
    for (std::size_t i = 1; i < parts.certificates.size(); ++i)
        sk_X509_push(stack.get(), parts.certificates[i].get());
    return stack;
}

}  // namespace

Result<Identity> Identity::from_pem(std::string_view certificates, const Secret& key,
                                    const Secret& key_password) {
    auto parsed = parse_certificates(certificates);
    if (!parsed) return pass(parsed);
    auto private_key = read_key(key, key_password);
    if (!private_key) return pass(private_key);
    auto ordered = in_order(std::move(*parsed), private_key->get());
    if (!ordered) return pass(ordered);

    auto parts = std::make_shared<Parts>();
    parts->certificates = std::move(*ordered);
    parts->key = std::move(*private_key);
    for (const auto& certificate : parts->certificates)
        parts->infos.push_back(info_of(certificate.get()));
    return Identity(std::move(parts));
}

std::span<const CertificateInfo> Identity::chain() const { return parts_->infos; }

Result<void> Identity::check_dates(WallTime now) const {
    if (auto fault = date_fault(certificate(), 0, now)) return std::unexpected(std::move(*fault));
    return {};
}

bool Identity::is_issued_by_any(std::span<const std::string> acceptable) const {
    if (acceptable.empty()) return true;
    return std::ranges::any_of(parts_->infos, [&](const CertificateInfo& certificate) {
        return std::ranges::find(acceptable, certificate.issuer) != acceptable.end();
    });
}

bool install(const Identity& identity, SSL_CTX* context) {
    const auto& parts = identity.parts();
    return SSL_CTX_use_cert_and_key(context, parts.certificates.front().get(), parts.key.get(),
                                    issuers_of(parts).get(), 1) == 1;
}

bool install(const Identity& identity, SSL* connection) {
    const auto& parts = identity.parts();
    return SSL_use_cert_and_key(connection, parts.certificates.front().get(), parts.key.get(),
                                issuers_of(parts).get(), 1) == 1;
}

}  // namespace causeway::tls
