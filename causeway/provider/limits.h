// How long each phase of coming up may take, and how much a peer may make us hold.

#pragma once

#include <chrono>
#include <cstddef>

namespace causeway::provider {

/// The deadlines of one attempt. Nothing waits for a default of the kernel.
struct Deadlines {
    std::chrono::milliseconds name_server{3'000};  ///< for one name server's answer
    std::chrono::milliseconds resolve{10'000};     ///< for the name, all servers together
    std::chrono::milliseconds stagger{250};        ///< RFC 8305: head start of one address
    std::chrono::milliseconds connect{10'000};     ///< for TCP, all addresses together
    std::chrono::milliseconds tls{10'000};         ///< for the handshake
    std::chrono::milliseconds answer{20'000};      ///< for each HTTP answer
};

/// Files larger than these are not read.
inline constexpr std::size_t resolver_file_limit = 64 * 1024;
inline constexpr std::size_t hosts_file_limit = 16 * 1024 * 1024;

/// As many name servers and search domains are used; further ones are ignored, as in
/// resolv.conf(5).
inline constexpr std::size_t name_server_limit = 3;
inline constexpr std::size_t search_limit = 6;

/// Addresses of one name that are tried.
inline constexpr std::size_t address_limit = 16;

/// Who closes first reads the other side's last words for as long, and as much.
inline constexpr std::chrono::milliseconds linger_time{1'000};
inline constexpr std::size_t linger_bytes = 64 * 1024;

}  // namespace causeway::provider
