#include "causeway/device/netlink_socket.h"

#include "causeway/base/text.h"
#include "causeway/device/netlink_message.h"

#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <cerrno>
#include <optional>

namespace causeway::device {
namespace {

/// The kernel answers at once; an answer that was lost must not hold us for ever.
constexpr timeval answer_timeout{5, 0};

/// The firewall's table of a tunnel with 10,000 exceptions has 1.3 MB.
constexpr int largest_message = 4 << 20;

/// How often what is listed may change while it is, before we give up.
constexpr int dump_attempts = 20;

void set_option(int socket, int option) {
    // Older kernels lack some of these; then there are fewer words, nothing else.
    const int on = 1;
    setsockopt(socket, SOL_NETLINK, option, &on, sizeof on);
}

nlmsghdr* header_of(std::span<std::byte> message) {
    return reinterpret_cast<nlmsghdr*>(message.data());
}

/// What the kernel says about a refusal besides its number (NLMSGERR_ATTR_MSG).
std::string words_of(const nlmsghdr& message) {
    if ((message.nlmsg_flags & NLM_F_ACK_TLVS) == 0) return {};
    const auto* refusal = static_cast<const nlmsgerr*>(mnl_nlmsg_get_payload(&message));
    std::size_t offset = sizeof(nlmsgerr);
    if ((message.nlmsg_flags & NLM_F_CAPPED) == 0)
        offset += refusal->msg.nlmsg_len - sizeof(nlmsghdr);
    if (offset > mnl_nlmsg_get_payload_len(&message)) return {};

    std::string words;
    for_each_attribute(message, offset, [&](const nlattr& attribute) {
        if (mnl_attr_get_type(&attribute) == NLMSGERR_ATTR_MSG)
            words = printable(std::string_view(mnl_attr_get_str(&attribute)));
    });
    return words;
}

/// Nothing for an acknowledgement and for the end of a dump that went well. Both kinds of message
/// begin with a negative errno.
std::optional<Error> refusal_in(const nlmsghdr& message) {
    if (mnl_nlmsg_get_payload_len(&message) < sizeof(int)) return std::nullopt;
    int number;
    std::memcpy(&number, mnl_nlmsg_get_payload(&message), sizeof number);
    if (number >= 0) return std::nullopt;
    Error error = system_error(-number, "netlink");
    if (message.nlmsg_type != NLMSG_ERROR) return error;
    if (auto words = words_of(message); !words.empty()) error.with("kernel", std::move(words));
    return error;
}

}  // namespace

bool is_errno(const Error& error, int number) {
    return error.code == Code::raw(Domain::system, number);
}

Result<NetlinkSocket> NetlinkSocket::open(int protocol) {
    Fd fd(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol));
    if (!fd) return std::unexpected(system_error(errno, "socket AF_NETLINK"));
    if (setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &answer_timeout, sizeof answer_timeout) != 0)
        return std::unexpected(system_error(errno, "setsockopt SO_RCVTIMEO"));
    // A transaction is one message to the socket. Without the right to this, small ones pass.
    setsockopt(fd.get(), SOL_SOCKET, SO_SNDBUFFORCE, &largest_message, sizeof largest_message);
    set_option(fd.get(), NETLINK_EXT_ACK);
    set_option(fd.get(), NETLINK_CAP_ACK);
    set_option(fd.get(), NETLINK_GET_STRICT_CHK);
    return NetlinkSocket(std::move(fd));
}

Result<void> NetlinkSocket::transact(std::span<std::byte> message) {
    return ask(message, [](const nlmsghdr&) {});
}

Result<void> NetlinkSocket::ask(std::span<std::byte> message, const Handler& each) {
    header_of(message)->nlmsg_seq = next();
    header_of(message)->nlmsg_flags |= NLM_F_ACK;
    return exchange(message, sequence_, each);
}

Result<std::vector<Bytes>> NetlinkSocket::dump(std::span<std::byte> message) {
    for (int attempt = 0;; ++attempt) {
        std::vector<Bytes> found;
        header_of(message)->nlmsg_seq = next();
        header_of(message)->nlmsg_flags |= NLM_F_DUMP;
        auto dumped = exchange(message, sequence_, [&](const nlmsghdr& object) {
            const auto* bytes = reinterpret_cast<const std::byte*>(&object);
            found.emplace_back(bytes, bytes + object.nlmsg_len);
        });
        if (dumped) return found;
        if (!is_errno(dumped.error(), EINTR) || attempt == dump_attempts) return pass(dumped);
    }
}

Result<void> NetlinkSocket::exchange(std::span<const std::byte> messages, std::uint32_t last,
                                     const Handler& each, std::uint32_t head) {
    sockaddr_nl kernel{};
    kernel.nl_family = AF_NETLINK;
    const auto count = sendto(socket_.get(), messages.data(), messages.size(), 0,
                              reinterpret_cast<const sockaddr*>(&kernel), sizeof kernel);
    if (count < 0) return std::unexpected(system_error(errno, "sendto netlink"));
    return answers(last, each, head);
}

Result<void> NetlinkSocket::answers(std::uint32_t last, const Handler& each, std::uint32_t head) {
    std::optional<Error> first;
    bool interrupted = false;
    alignas(nlmsghdr) std::array<char, 65536> buffer;
    while (true) {
        const auto count = recv(socket_.get(), buffer.data(), buffer.size(), 0);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return std::unexpected(system_error(errno, "recv netlink"));

        int left = static_cast<int>(count);
        const auto* message = reinterpret_cast<const nlmsghdr*>(buffer.data());
        for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
            const bool ends =
                message->nlmsg_type == NLMSG_ERROR || message->nlmsg_type == NLMSG_DONE;
            const bool is_last = message->nlmsg_seq == last;
            interrupted |= (message->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
            if (ends && !first && (first = refusal_in(*message))) refused_ = message->nlmsg_seq;
            if (!ends && is_last) each(*message);
            const bool is_over = is_last || (first && message->nlmsg_seq == head);
            if (!ends || !is_over) continue;
            if (first) return std::unexpected(std::move(*first));
            if (interrupted) return std::unexpected(system_error(EINTR, "netlink dump"));
            return {};
        }
    }
}

}  // namespace causeway::device
