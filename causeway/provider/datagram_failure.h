// Why a datagram channel does not work, in words.

#pragma once

#include "causeway/base/address.h"
#include "causeway/error/error.h"
#include "causeway/protocol/datagram_session.h"

#include <chrono>
#include <cstddef>

namespace causeway::provider {

/// The socket said so while the handshake was under way; `number`: errno.
Error unreachable_by_datagram(const Endpoint& remote, int number);

/// The handshake failed; `had_answer`: something came back.
Error no_datagram_handshake(const Endpoint& remote, Error why, bool had_answer,
                            std::chrono::milliseconds limit);

/// The channel worked and stopped. `trouble`: the errno of the socket's last failure, or 0;
/// `smallest`: of the packets it was to carry.
Error datagrams_stopped(const Endpoint& remote, protocol::DatagramDown::Why why,
                        std::chrono::milliseconds silence, int trouble, std::size_t smallest);

}  // namespace causeway::provider
