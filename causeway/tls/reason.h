// What OpenSSL found wrong, as a code. Private to this layer.

#pragma once

#include "causeway/error/error.h"
#include "causeway/tls/openssl.h"

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace causeway::tls {

struct Trouble {
    std::vector<OpensslFault> faults;        ///< The whole queue, oldest first.
    std::optional<std::uint8_t> alert_sent;  ///< The fatal alert that OpenSSL chose for it.
    bool is_aead = true;                     ///< The suite in use authenticates as it encrypts.
};

/// The most telling entry decides; where none is known, the alert that OpenSSL sent.
Tls code_of(const Trouble& trouble);
/// A sentence for it, without particulars.
std::string_view sentence_of(Tls code);
/// The same, and more exact where the reasons of OpenSSL allow it.
std::string_view sentence_of(const Trouble& trouble);

/// "server hello" for 2; "message 99" is "unknown message".
std::string_view message_name(std::uint8_t type);

}  // namespace causeway::tls
