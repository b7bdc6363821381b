#include "causeway/tls/openssl.h"

#include "causeway/base/text.h"

#include <algorithm>
#include <ctime>

namespace causeway::tls {

void start_openssl() { OPENSSL_init_ssl(0, nullptr); }

std::vector<OpensslFault> take_openssl_faults() {
    std::vector<OpensslFault> faults;
    const char* data = nullptr;
    int flags = 0;
    while (const unsigned long packed =
               ERR_get_error_all(nullptr, nullptr, nullptr, &data, &flags)) {
        const char* text = ERR_reason_error_string(packed);
        OpensslFault fault{ERR_GET_LIB(packed), ERR_GET_REASON(packed), text ? text : ""};
        if (!text) fault.text = "reason " + std::to_string(fault.reason);
        if (data && *data && (flags & ERR_TXT_STRING)) fault.text += " (" + printable(data) + ")";
        faults.push_back(std::move(fault));
    }
    return faults;
}

std::string openssl_reason(const std::vector<OpensslFault>& faults) {
    std::vector<std::string> texts;
    for (const auto& fault : faults)
        if (std::ranges::find(texts, fault.text) == texts.end()) texts.push_back(fault.text);
    return join(texts, "; ");
}

BioPtr reading(std::string_view text) {
    start_openssl();
    return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::string text_of(const X509_NAME* name) {
    if (!name) return {};
    const BioPtr out(BIO_new(BIO_s_mem()));
    // Without ASN1_STRFLGS_ESC_MSB the text stays UTF-8 instead of becoming \C3\A4.
    X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253 & ~unsigned{ASN1_STRFLGS_ESC_MSB});
    char* text = nullptr;
    const long size = BIO_get_mem_data(out.get(), &text);
    return size > 0 ? printable({text, static_cast<std::size_t>(size)}) : std::string();
}

std::optional<WallTime> time_of(const ASN1_TIME* time) {
    std::tm parts{};
    if (!time || ASN1_TIME_to_tm(time, &parts) != 1) return std::nullopt;
    return WallTime(std::chrono::seconds(timegm(&parts)));
}

Bytes sha256(ByteView bytes) {
    Bytes digest(32);
    std::size_t size = digest.size();
    if (EVP_Q_digest(nullptr, "SHA256", nullptr, bytes.data(), bytes.size(),
                     reinterpret_cast<unsigned char*>(digest.data()), &size) != 1)
        return {};
    return digest;
}

Bytes der_of(const X509* certificate) {
    unsigned char* der = nullptr;
    const int size = i2d_X509(certificate, &der);
    if (size <= 0) return {};
    const auto bytes = view(der, static_cast<std::size_t>(size));
    Bytes copy(bytes.begin(), bytes.end());
    OPENSSL_free(der);
    return copy;
}

}  // namespace causeway::tls
