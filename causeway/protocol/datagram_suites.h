// How both ends agree on the key of the datagram channel: by the lists of names in X-DTLS- headers.
//
//     PSK-NEGOTIATE        the key is an exporter of the TLS channel, the suite is negotiated
//     X-DTLS12- names      the client's master secret, a session that is resumed, the suite named

#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace causeway::protocol {

/// The name that stands for a key from the TLS channel.
inline constexpr std::string_view psk_negotiate = "PSK-NEGOTIATE";
/// The exporter's label (RFC 5705), without a context, and its size.
inline constexpr std::string_view psk_exporter_label = "EXPORTER-openconnect-psk";
inline constexpr std::size_t psk_size = 32;
/// What both sides send as the PSK identity; nobody looks at it.
inline constexpr std::string_view psk_identity = "psk";
/// Bytes of X-DTLS-Master-Secret and of X-DTLS-Session-ID.
inline constexpr std::size_t master_secret_size = 48;
inline constexpr std::size_t datagram_session_id_size = 32;

/// A suite of a session that is resumed.
struct ResumedSuite {
    std::string_view name;  ///< As X-DTLS12-CipherSuite has it: "AES256-GCM-SHA384".
    std::uint16_t number;   ///< IANA.
    bool operator==(const ResumedSuite&) const = default;
};

/// All we know, the preferred one first.
std::span<const ResumedSuite> resumed_suites();
/// By its name; nothing for one that we do not know.
std::optional<ResumedSuite> resumed_suite(std::string_view name);
/// All of them, as a client offers them.
std::string resumed_suite_list();

/// Whether a list of names with colons between them has that name, in any case.
bool lists_suite(std::string_view list, std::string_view name);
/// The suites of a client's list that we know, in the client's order.
std::vector<ResumedSuite> known_suites(std::string_view list);

}  // namespace causeway::protocol
