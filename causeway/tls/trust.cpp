#include "causeway/tls/trust.h"

#include "causeway/base/text.h"

namespace causeway::tls {
namespace {

constexpr std::size_t sha256_size = 32;
constexpr std::string_view base64_prefix = "pin-sha256:";
constexpr std::string_view hex_prefix = "sha256:";

}  // namespace

Result<Pin> Pin::parse(std::string_view text) {
    std::string_view value = trim(text);
    if (value.starts_with(base64_prefix)) value.remove_prefix(base64_prefix.size());
    if (value.starts_with(hex_prefix)) value.remove_prefix(hex_prefix.size());
    for (const auto& digest : {from_hex(value), from_base64(value)})
        if (digest && digest->size() == sha256_size) return Pin{*digest};
    return fail(Tls::errSSLConfigurationFailed,
                "the pin " + printable(text) +
                    " is not pin-sha256: and the base64 of 32 bytes, nor sha256: and 64 "
                    "hexadecimal digits",
                {{"pin", printable(text)}});
}

bool Pin::matches(const CertificateInfo& certificate) const { return certificate.pin == text(); }

std::string Pin::text() const { return std::string(base64_prefix) + base64(sha256); }

}  // namespace causeway::tls
