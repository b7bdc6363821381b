// How much of anything the other side may make us keep. Every limit of this layer is here.

#pragma once

#include <cstddef>

namespace causeway::protocol {

/// What one HTTP message may cost. Above a limit the reader fails before it keeps the surplus.
struct HttpLimits {
    std::size_t head;     ///< Bytes of the first line and all headers together.
    std::size_t headers;  ///< Number of headers.
    std::size_t body;     ///< Bytes of the body, after chunks are joined.
};

/// What a client takes from a gateway: a long list of routes fits.
inline constexpr HttpLimits client_http_limits{64 * 1024, 1000, 256 * 1024};
/// What a gateway takes from strangers, ten thousand of them at once.
inline constexpr HttpLimits gateway_http_limits{16 * 1024, 100, 16 * 1024};

inline constexpr std::size_t chunk_line_limit = 256;  ///< Bytes of a chunk's size line.

inline constexpr std::size_t xml_depth_limit = 16;
inline constexpr std::size_t xml_element_limit = 2000;
inline constexpr std::size_t form_field_limit = 64;
inline constexpr std::size_t form_choice_limit = 512;
inline constexpr std::size_t text_limit = 4096;      ///< Bytes of one text of a form.
inline constexpr std::size_t name_limit = 256;       ///< Bytes of a user name, group or field name.
inline constexpr std::size_t password_limit = 1024;  ///< Bytes of one answer.
inline constexpr std::size_t cookie_limit = 4096;    ///< Bytes of one cookie.
inline constexpr std::size_t cookie_count_limit = 32;

inline constexpr int redirect_limit = 10;  ///< Redirects in one login.
inline constexpr int form_limit = 20;      ///< Forms in one login.
inline constexpr int request_limit = 40;   ///< Requests a gateway answers in one login.

inline constexpr std::size_t cstp_payload_limit = 16384;  ///< Bytes of one CSTP payload.
/// Bytes of a packet that fits one TLS record with its CSTP header.
inline constexpr std::size_t cstp_packet_limit = 16384 - 8;
/// Bytes of a packet that fits one DTLS record with its type.
inline constexpr std::size_t datagram_packet_limit = 16384 - 1;
inline constexpr std::size_t bundle_limit = 16384;     ///< Bytes of packets in one TLS record.
inline constexpr std::size_t suite_list_limit = 1024;  ///< Bytes of a list of datagram suites.
inline constexpr std::size_t suite_count_limit = 32;   ///< Names of such a list that are looked at.
inline constexpr std::size_t control_output_limit = 64 * 1024;  ///< Bytes of answers in datagrams.
inline constexpr std::size_t disconnect_text_limit = 512;  ///< Bytes kept of a DISCONNECT's text.

}  // namespace causeway::protocol
