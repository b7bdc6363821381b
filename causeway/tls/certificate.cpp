#include "causeway/tls/certificate.h"

#include "causeway/base/text.h"
#include "causeway/tls/certificate_parts.h"
#include "causeway/tls/limits.h"

#include <algorithm>

namespace causeway::tls {
namespace {

constexpr int principal_name_nid = NID_ms_upn;

std::string_view text_of(const ASN1_STRING* string) {
    return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
            static_cast<std::size_t>(ASN1_STRING_length(string))};
}

/// In UTF-8, whatever the encoding in the certificate.
std::string utf8_of(const ASN1_STRING* string) {
    unsigned char* bytes = nullptr;
    const int size = ASN1_STRING_to_UTF8(&bytes, string);
    if (size < 0) return {};
    std::string text(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
    OPENSSL_free(bytes);
    return text;
}

NameListPtr alternative_names(const X509* certificate) {
    return NameListPtr(static_cast<GENERAL_NAMES*>(
        X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
}

void read_names(const X509* certificate, CertificateInfo& info) {
    const auto names = alternative_names(certificate);
    for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
        int type = 0;
        const auto* value = static_cast<const ASN1_STRING*>(
            GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names.get(), i), &type));
        if (type == GEN_DNS) info.dns_names.push_back(printable(text_of(value)));
        if (type == GEN_EMAIL) info.mail_names.push_back(printable(text_of(value)));
        if (type == GEN_IPADD)
            if (const auto address = IpAddress::from_bytes(as_bytes(text_of(value))))
                info.addresses.push_back(*address);
    }
}

std::string serial_of(const X509* certificate) {
    const auto* serial = X509_get0_serialNumber(certificate);
    auto digits = hex(as_bytes(text_of(serial)));
    return ASN1_STRING_type(serial) == V_ASN1_NEG_INTEGER ? "-" + digits : digits;
}

std::string signature_hash_of(const X509* certificate) {
    int hash = NID_undef;
    if (X509_get_signature_info(const_cast<X509*>(certificate), &hash, nullptr, nullptr, nullptr) !=
            1 ||
        hash == NID_undef)
        return {};
    return OBJ_nid2sn(hash);
}

std::string pin_of(const X509* certificate) {
    unsigned char* der = nullptr;
    const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
    if (size <= 0) return {};
    const auto digest = sha256(view(der, static_cast<std::size_t>(size)));
    OPENSSL_free(der);
    return "pin-sha256:" + base64(digest);
}

std::vector<std::string> subject_values(const X509* certificate, const ASN1_OBJECT* key) {
    std::vector<std::string> values;
    const auto* subject = X509_get_subject_name(certificate);
    for (int i = 0; i < X509_NAME_entry_count(subject); ++i) {
        const auto* entry = X509_NAME_get_entry(subject, i);
        if (OBJ_cmp(X509_NAME_ENTRY_get_object(entry), key) == 0)
            values.push_back(utf8_of(X509_NAME_ENTRY_get_data(entry)));
    }
    return values;
}

std::vector<std::string> principal_names(const X509* certificate) {
    std::vector<std::string> values;
    const auto names = alternative_names(certificate);
    for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
        ASN1_OBJECT* type = nullptr;
        ASN1_TYPE* value = nullptr;
        if (GENERAL_NAME_get0_otherName(sk_GENERAL_NAME_value(names.get(), i), &type, &value) != 1)
            continue;
        if (OBJ_obj2nid(type) == principal_name_nid && value->type == V_ASN1_UTF8STRING)
            values.emplace_back(text_of(value->value.utf8string));
    }
    return values;
}

using ObjectPtr = std::unique_ptr<ASN1_OBJECT, OpensslDeleter<ASN1_OBJECT_free>>;

ObjectPtr attribute_object(std::string_view key) {
    ObjectPtr object(OBJ_txt2obj(std::string(key).c_str(), 0));
    ERR_clear_error();
    return object;
}

std::unexpected<Error> unreadable(std::string detail) {
    const auto reason = openssl_reason(take_openssl_faults());
    Error below{Trust::errSecDecode, reason.empty() ? "it is not valid DER" : reason};
    return fail(Tls::errSSLBadCert, std::move(detail), std::move(below));
}

}  // namespace

CertificateInfo info_of(const X509* certificate) {
    CertificateInfo info;
    info.subject = text_of(X509_get_subject_name(certificate));
    info.issuer = text_of(X509_get_issuer_name(certificate));
    read_names(certificate, info);
    info.not_before = time_of(X509_get0_notBefore(certificate)).value_or(WallTime::max());
    info.not_after = time_of(X509_get0_notAfter(certificate)).value_or(WallTime::min());
    info.serial = serial_of(certificate);
    info.der = der_of(certificate);
    info.fingerprint_sha256 = hex(sha256(info.der));
    info.pin = pin_of(certificate);
    if (const auto* key = X509_get0_pubkey(certificate)) {
        const char* type = EVP_PKEY_get0_type_name(key);
        info.key_type = type ? type : "unknown";
        info.key_bits = EVP_PKEY_get_bits(key);
    }
    info.signature_hash = signature_hash_of(certificate);
    info.is_authority = X509_check_ca(const_cast<X509*>(certificate)) == 1;
    info.is_self_issued =
        X509_NAME_cmp(X509_get_subject_name(certificate), X509_get_issuer_name(certificate)) == 0;
    ERR_clear_error();
    return info;
}

CertificatePtr parse_certificate(ByteView der) {
    start_openssl();
    const unsigned char* at = raw(der);
    CertificatePtr certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
    if (certificate && at != raw(der) + der.size()) return nullptr;
    return certificate;
}

Result<std::vector<CertificatePtr>> parse_certificates(std::string_view pem) {
    std::vector<CertificatePtr> certificates;
    const auto source = reading(pem);
    while (certificates.size() <= certificate_limit) {
        CertificatePtr certificate(PEM_read_bio_X509(source.get(), nullptr, nullptr, nullptr));
        if (!certificate) break;
        certificates.push_back(std::move(certificate));
    }
    if (certificates.size() > certificate_limit)
        return fail(Tls::errSSLBadCert,
                    "more than " + std::to_string(certificate_limit) + " certificates in one text");
    const bool is_at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    if (!is_at_end)
        return unreadable("certificate " + std::to_string(certificates.size() + 1) +
                          " of the text cannot be read");
    ERR_clear_error();
    if (certificates.empty())
        return fail(Tls::errSSLBadCert, "the text holds no certificate",
                    Error{Trust::errSecDecode, "no line BEGIN CERTIFICATE"});
    return certificates;
}

Result<CertificateInfo> CertificateInfo::from_der(ByteView der) {
    const auto certificate = parse_certificate(der);
    if (!certificate)
        return unreadable("the certificate of " + std::to_string(der.size()) +
                          " bytes cannot be read");
    return info_of(certificate.get());
}

Result<CertificateInfo> CertificateInfo::from_pem(std::string_view pem) {
    auto certificates = parse_certificates(pem);
    if (!certificates) return pass(certificates);
    return info_of(certificates->front().get());
}

std::string CertificateInfo::names() const {
    std::vector<std::string> all = dns_names;
    for (const auto& address : addresses) all.push_back(address.text());
    return all.empty() ? "none" : join(all, ", ");
}

std::vector<std::string> CertificateInfo::attribute(std::string_view key) const {
    if (equals_ignoring_case(key, "SAN:email")) return mail_names;
    if (equals_ignoring_case(key, "SAN:dns")) return dns_names;
    const auto certificate = parse_certificate(der);
    if (!certificate) return {};
    if (equals_ignoring_case(key, "SAN:upn")) return principal_names(certificate.get());
    const auto object = attribute_object(key);
    return object ? subject_values(certificate.get(), object.get()) : std::vector<std::string>{};
}

bool CertificateInfo::is_attribute(std::string_view key) {
    return equals_ignoring_case(key, "SAN:email") || equals_ignoring_case(key, "SAN:dns") ||
           equals_ignoring_case(key, "SAN:upn") || attribute_object(key) != nullptr;
}

Result<std::vector<CertificateInfo>> read_certificates(std::string_view pem) {
    auto certificates = parse_certificates(pem);
    if (!certificates) return pass(certificates);
    std::vector<CertificateInfo> infos;
    for (const auto& certificate : *certificates) infos.push_back(info_of(certificate.get()));
    return infos;
}

}  // namespace causeway::tls
