#include "tests/support/pki.h"

#include <stdexcept>

namespace causeway::test {
namespace {

using tls::BioPtr;

void must(bool worked, std::string_view what) {
    if (worked) return;
    throw std::runtime_error("making a certificate for a test: " + std::string(what) + ": " +
                             tls::openssl_reason(tls::take_openssl_faults()));
}

std::string text_of(const BioPtr& bio) {
    char* text = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &text);
    return {text, static_cast<std::size_t>(size)};
}

time_t seconds(WallTime time) { return std::chrono::system_clock::to_time_t(time); }

const EVP_MD* digest_of(const CertificatePlan& plan, const Issued& issuer) {
    const bool has_own_hash = EVP_PKEY_get_base_id(issuer.key.get()) == EVP_PKEY_ED25519;
    return has_own_hash ? nullptr : EVP_get_digestbyname(plan.hash.c_str());
}

void set_subject(X509* certificate, const CertificatePlan& plan) {
    X509_NAME* name = X509_get_subject_name(certificate);
    for (const auto& [key, value] : plan.subject)
        must(X509_NAME_add_entry_by_txt(name, key.c_str(), MBSTRING_UTF8,
                                        reinterpret_cast<const unsigned char*>(value.c_str()), -1,
                                        -1, 0) == 1,
             key);
}

void add_extensions(X509* certificate, X509* issuer, const CertificatePlan& plan) {
    X509V3_CTX context{};
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    for (const auto& [key, value] : plan.extensions) {
        X509_EXTENSION* extension = X509V3_EXT_nconf(nullptr, &context, key.c_str(), value.c_str());
        must(extension != nullptr, key);
        X509_add_ext(certificate, extension, -1);
        X509_EXTENSION_free(extension);
    }
}

void spoil_signature(std::shared_ptr<X509>& certificate) {
    const ASN1_BIT_STRING* signature = nullptr;
    X509_get0_signature(&signature, nullptr, certificate.get());
    auto der = tls::der_of(certificate.get());
    der[der.size() - 4] ^= std::byte{1};
    const unsigned char* at = tls::raw(der);
    certificate.reset(d2i_X509(nullptr, &at, static_cast<long>(der.size())), X509_free);
    must(certificate != nullptr, "spoiling the signature");
}

Issued make(const CertificatePlan& plan, const Issued* issuer) {
    static long serial = 1000;
    Issued made{{X509_new(), X509_free}, make_key(plan.key)};
    X509* certificate = made.certificate.get();
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
    ASN1_TIME_set(X509_getm_notBefore(certificate), seconds(plan.not_before));
    ASN1_TIME_set(X509_getm_notAfter(certificate), seconds(plan.not_after));
    X509_set_pubkey(certificate, made.key.get());
    set_subject(certificate, plan);
    const Issued& signer = issuer ? *issuer : made;
    X509_set_issuer_name(certificate, X509_get_subject_name(signer.certificate.get()));
    add_extensions(certificate, signer.certificate.get(), plan);
    must(X509_sign(certificate, signer.key.get(), digest_of(plan, signer)) > 0, "signing");
    if (plan.is_signature_wrong) spoil_signature(made.certificate);
    return made;
}

}  // namespace

std::shared_ptr<EVP_PKEY> make_key(std::string_view kind) {
    EVP_PKEY* key = nullptr;
    if (kind.starts_with("RSA-"))
        key = EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA",
                                static_cast<std::size_t>(std::stoi(std::string(kind.substr(4)))));
    else if (kind.starts_with("P-"))
        key = EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", std::string(kind).c_str());
    else
        key = EVP_PKEY_Q_keygen(nullptr, nullptr, std::string(kind).c_str());
    must(key != nullptr, kind);
    return {key, EVP_PKEY_free};
}

std::string Issued::pem() const {
    const BioPtr out(BIO_new(BIO_s_mem()));
    PEM_write_bio_X509(out.get(), certificate.get());
    return text_of(out);
}

Secret Issued::key_pem() const {
    const BioPtr out(BIO_new(BIO_s_mem()));
    PEM_write_bio_PKCS8PrivateKey(out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    return Secret(text_of(out));
}

Secret Issued::encrypted_key_pem(std::string_view password) const {
    const BioPtr out(BIO_new(BIO_s_mem()));
    PEM_write_bio_PKCS8PrivateKey(out.get(), key.get(), EVP_aes_128_cbc(), password.data(),
                                  static_cast<int>(password.size()), nullptr, nullptr);
    return Secret(text_of(out));
}

Issued self_signed(const CertificatePlan& plan) { return make(plan, nullptr); }
Issued issue(const CertificatePlan& plan, const Issued& issuer) { return make(plan, &issuer); }

std::string revocation_list(const Issued& issuer, const std::vector<const Issued*>& revoked,
                            WallTime next_update) {
    const tls::CrlPtr list(X509_CRL_new());
    X509_CRL_set_version(list.get(), X509_CRL_VERSION_2);
    X509_CRL_set_issuer_name(list.get(), X509_get_subject_name(issuer.certificate.get()));
    ASN1_TIME* time = ASN1_TIME_set(nullptr, seconds(test_now - std::chrono::days(20)));
    X509_CRL_set1_lastUpdate(list.get(), time);
    for (const auto* one : revoked) {
        X509_REVOKED* entry = X509_REVOKED_new();
        X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(one->certificate.get()));
        X509_REVOKED_set_revocationDate(entry, time);
        X509_CRL_add0_revoked(list.get(), entry);
    }
    ASN1_TIME_set(time, seconds(next_update));
    X509_CRL_set1_nextUpdate(list.get(), time);
    ASN1_TIME_free(time);
    must(X509_CRL_sign(list.get(), issuer.key.get(), EVP_sha256()) > 0, "signing a list");
    const BioPtr out(BIO_new(BIO_s_mem()));
    PEM_write_bio_X509_CRL(out.get(), list.get());
    return text_of(out);
}

CertificatePlan authority_plan(std::string name) {
    return {.subject = {{"CN", std::move(name)}},
            .extensions = {{"basicConstraints", "critical,CA:TRUE"},
                           {"keyUsage", "critical,keyCertSign,cRLSign"},
                           {"subjectKeyIdentifier", "hash"}}};
}

CertificatePlan server_plan(std::string dns_name) {
    return {.subject = {{"CN", dns_name}},
            .extensions = {{"basicConstraints", "critical,CA:FALSE"},
                           {"extendedKeyUsage", "serverAuth"},
                           {"subjectAltName", "DNS:" + dns_name}}};
}

CertificatePlan client_plan(std::string user) {
    return {.subject = {{"OU", "staff"}, {"UID", user}, {"CN", "User " + user}},
            .extensions = {{"basicConstraints", "critical,CA:FALSE"},
                           {"extendedKeyUsage", "clientAuth"}}};
}

}  // namespace causeway::test
