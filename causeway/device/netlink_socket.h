// A conversation with the kernel over a netlink socket: numbered messages out, answers in.
//
// Every failure is a raw fact of the system domain; evidence `kernel` holds the kernel's own words,
// where it gave any.

#pragma once

#include "causeway/base/bytes.h"
#include "causeway/base/fd.h"
#include "causeway/error/error.h"

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

struct nlmsghdr;

namespace causeway::device {

class NetlinkSocket {
public:
    using Handler = std::function<void(const nlmsghdr&)>;

    /// Of NETLINK_ROUTE or NETLINK_NETFILTER.
    static Result<NetlinkSocket> open(int protocol);

    /// The number of the next message.
    std::uint32_t next() { return ++sequence_; }

    /// Sends one message and waits until the kernel has carried it out.
    Result<void> transact(std::span<std::byte> message);
    /// The same for a question: `each` gets what is answered.
    Result<void> ask(std::span<std::byte> message, const Handler& each);
    /// All objects of a kind, one message each, as they were at one moment. Fails with EINTR when
    /// they never stopped changing.
    Result<std::vector<Bytes>> dump(std::span<std::byte> message);
    /// Sends messages numbered up to `last`, which asks for an acknowledgement, and reads all
    /// answers. The kernel carries out every message, also behind one that it refuses, unless that
    /// is the `head` of a batch; the first refusal is returned.
    Result<void> exchange(std::span<const std::byte> messages, std::uint32_t last,
                          const Handler& each, std::uint32_t head = 0);

    /// The number of the message that the last failure was about.
    std::uint32_t refused() const { return refused_; }

private:
    explicit NetlinkSocket(Fd socket) : socket_(std::move(socket)) {}
    Result<void> answers(std::uint32_t last, const Handler& each, std::uint32_t head);

    Fd socket_;
    std::uint32_t sequence_ = 0;
    std::uint32_t refused_ = 0;
};

/// Whether an error is that errno.
bool is_errno(const Error& error, int number);

/// A message that `dump` has returned.
inline const nlmsghdr& header_in(const Bytes& message) {
    return *reinterpret_cast<const nlmsghdr*>(message.data());
}

}  // namespace causeway::device
