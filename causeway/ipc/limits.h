// What one process of ours accepts from another, in one place.

#pragma once

#include <chrono>
#include <cstddef>

namespace causeway::ipc {

/// Bytes of JSON in one message.
inline constexpr std::size_t message_limit = 1024 * 1024;
/// Descriptors that may come with one message.
inline constexpr std::size_t descriptor_limit = 8;
/// Bytes that may wait for a peer that does not read.
inline constexpr std::size_t queue_limit = 8 * 1024 * 1024;
/// Messages kept for later while an answer is awaited.
inline constexpr std::size_t kept_limit = 64;

}  // namespace causeway::ipc
