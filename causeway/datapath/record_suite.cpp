#include "causeway/datapath/record_suite.h"

#include <utility>

namespace causeway::datapath {

std::string_view name(RecordSuite suite) {
    switch (suite) {
        case RecordSuite::aes128_gcm: return "AES-128-GCM";
        case RecordSuite::aes256_gcm: return "AES-256-GCM";
        case RecordSuite::chacha20_poly1305: return "CHACHA20-POLY1305";
    }
    std::unreachable();
}

std::string_view name(CryptoBackend backend) {
    switch (backend) {
        case CryptoBackend::automatic: return "auto";
        case CryptoBackend::ipsec_mb: return "ipsec-mb";
        case CryptoBackend::evp: return "evp";
#ifdef CAUSEWAY_MEASURE_COPY_CIPHER
        case CryptoBackend::copy: return "copy";
#endif
    }
    std::unreachable();
}

std::optional<CryptoBackend> crypto_backend(std::string_view text) {
    for (const auto backend :
         {CryptoBackend::automatic, CryptoBackend::ipsec_mb, CryptoBackend::evp})
        if (text == name(backend)) return backend;
    return std::nullopt;
}

std::optional<RecordSuite> record_suite(std::uint16_t iana_number) {
    switch (iana_number) {
        case 0x009c:  // RSA (RFC 5288)
        case 0x009e:  // DHE_RSA (RFC 5288)
        case 0x00a8:  // PSK (RFC 5487)
        case 0xc02b:  // ECDHE_ECDSA (RFC 5289)
        case 0xc02f:  // ECDHE_RSA (RFC 5289)
            return RecordSuite::aes128_gcm;
        case 0x009d:
        case 0x009f:
        case 0x00a9:
        case 0xc02c:
        case 0xc030: return RecordSuite::aes256_gcm;
        case 0xcca8:  // ECDHE_RSA (RFC 7905)
        case 0xcca9:  // ECDHE_ECDSA (RFC 7905)
        case 0xccaa:  // DHE_RSA (RFC 7905)
        case 0xccab:  // PSK (RFC 7905)
            return RecordSuite::chacha20_poly1305;
        default: return std::nullopt;
    }
}

CryptoBackend chosen([[maybe_unused]] CryptoBackend backend) {
#ifdef CAUSEWAY_MEASURE_COPY_CIPHER
    return CryptoBackend::copy;
#else
    if (backend != CryptoBackend::automatic) return backend;
    return has_ipsec_mb() ? CryptoBackend::ipsec_mb : CryptoBackend::evp;
#endif
}

std::optional<RecordType> record_type(ByteView datagram) {
    if (datagram.empty()) return std::nullopt;
    const auto type = std::to_integer<std::uint8_t>(datagram.front());
    if (type < 20 || type > 23) return std::nullopt;
    return static_cast<RecordType>(type);
}

std::optional<std::uint16_t> record_epoch(ByteView datagram) {
    if (datagram.size() < record_header_size) return std::nullopt;
    return big_endian_16(datagram.subspan(3, 2));
}

}  // namespace causeway::datapath
