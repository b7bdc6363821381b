#include "causeway/datapath/udp_port.h"

#include <arpa/inet.h>
#include <linux/errqueue.h>
#include <linux/sock_diag.h>
#include <linux/types.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace causeway::datapath {
namespace {

// linux/udp.h; glibc has them too, but not every one that builds us.
constexpr int udp_segment = 103;
constexpr int udp_gro = 104;

// What waits to be received is there already and is only lost by being dropped; what waits to be
// sent gets old: a few trains are enough to keep a card busy.
constexpr int receive_buffer = 4 * 1024 * 1024;
constexpr int send_buffer = 512 * 1024;

constexpr std::size_t receive_limit = 65'535;

bool set(int socket, int level, int option, int value) {
    return setsockopt(socket, level, option, &value, sizeof value) == 0;
}

struct Option {
    int level;
    int number;
    int value;
    const char* name;
};

// PROBE: never fragmented, and never held back by what the kernel believes of the path. The size
// is found out by probing, as RFC 8899 does, and what routers say is listened to.
constexpr std::array v4_options{
    Option{IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE, "IP_MTU_DISCOVER"},
    Option{IPPROTO_IP, IP_RECVERR, 1, "IP_RECVERR"},
    Option{IPPROTO_IP, IP_PKTINFO, 1, "IP_PKTINFO"}};
// The first two for IPv4 as well, which a socket of both families carries.
constexpr std::array v6_options{
    Option{IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE, "IP_MTU_DISCOVER"},
    Option{IPPROTO_IP, IP_RECVERR, 1, "IP_RECVERR"},
    Option{IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE, "IPV6_MTU_DISCOVER"},
    Option{IPPROTO_IPV6, IPV6_RECVERR, 1, "IPV6_RECVERR"},
    Option{IPPROTO_IPV6, IPV6_RECVPKTINFO, 1, "IPV6_RECVPKTINFO"}};

bool would_block(int number) { return number == EAGAIN || number == EWOULDBLOCK; }

Drop reason(int number) {
    switch (number) {
        case EMSGSIZE: return Drop::too_large;
        case EAGAIN:
        case ENOBUFS: return Drop::queue_full;
        default: return Drop::refused;
    }
}

std::size_t datagrams(ByteView bytes, std::size_t segment_size) {
    return (bytes.size() + segment_size - 1) / segment_size;
}

/// Room for the control messages of one call, aligned as the kernel wants it.
struct Control {
    alignas(cmsghdr) std::array<std::byte, 256> bytes;
};

template <typename Value>
cmsghdr* put(msghdr& message, cmsghdr* at, int level, int type, const Value& value) {
    at->cmsg_level = level;
    at->cmsg_type = type;
    at->cmsg_len = CMSG_LEN(sizeof value);
    std::memcpy(CMSG_DATA(at), &value, sizeof value);
    message.msg_controllen += CMSG_SPACE(sizeof value);
    return reinterpret_cast<cmsghdr*>(reinterpret_cast<std::byte*>(at) + CMSG_SPACE(sizeof value));
}

template <typename Value>
Value get(const cmsghdr* message) {
    Value value;
    std::memcpy(&value, CMSG_DATA(message), sizeof value);
    return value;
}

/// ::ffff:a.b.c.d, which is how a socket of both families has IPv4 (RFC 4291 section 2.5.5.2).
std::array<std::byte, 16> mapped(const IpAddress& address) {
    std::array<std::byte, 16> bytes{};
    if (address.is_v4()) bytes[10] = bytes[11] = std::byte{0xff};
    std::ranges::copy_backward(address.bytes(), bytes.end());
    return bytes;
}

IpAddress unmapped(const in6_addr& address) {
    const auto bytes = std::as_bytes(std::span(address.s6_addr));
    return *IpAddress::from_bytes(IN6_IS_ADDR_V4MAPPED(&address) ? bytes.subspan(12) : bytes);
}

cmsghdr* put_source(msghdr& message, cmsghdr* at, const IpAddress& local, bool is_v6) {
    if (!is_v6) {
        in_pktinfo info{};
        std::ranges::copy(local.bytes(), reinterpret_cast<std::byte*>(&info.ipi_spec_dst));
        return put(message, at, IPPROTO_IP, IP_PKTINFO, info);
    }
    in6_pktinfo info{};
    std::ranges::copy(mapped(local), reinterpret_cast<std::byte*>(&info.ipi6_addr));
    return put(message, at, IPPROTO_IPV6, IPV6_PKTINFO, info);
}

socklen_t put_address(const Endpoint& remote, bool is_v6, sockaddr_storage& storage) {
    if (!is_v6 || !remote.address.is_v4()) return remote.to_sockaddr(storage);
    const auto bytes = mapped(remote.address);
    return Endpoint{*IpAddress::from_bytes(bytes), remote.port}.to_sockaddr(storage);
}

/// What the control messages of a datagram said.
struct Arrival {
    std::size_t segment_size = 0;
    IpAddress local;
    std::optional<std::uint32_t> overflow;
};

Arrival read_control(msghdr& message) {
    Arrival arrival;
    for (auto* at = CMSG_FIRSTHDR(&message); at != nullptr; at = CMSG_NXTHDR(&message, at)) {
        if (at->cmsg_level == SOL_UDP && at->cmsg_type == udp_gro)
            arrival.segment_size = static_cast<std::size_t>(get<int>(at));
        else if (at->cmsg_level == SOL_SOCKET && at->cmsg_type == SO_RXQ_OVFL)
            arrival.overflow = get<std::uint32_t>(at);
        else if (at->cmsg_level == IPPROTO_IP && at->cmsg_type == IP_PKTINFO)
            arrival.local = IpAddress::v4(ntohl(get<in_pktinfo>(at).ipi_addr.s_addr));
        else if (at->cmsg_level == IPPROTO_IPV6 && at->cmsg_type == IPV6_PKTINFO)
            arrival.local = unmapped(get<in6_pktinfo>(at).ipi6_addr);
    }
    return arrival;
}

/// Of the error queue: only what came from the network or from the route there counts.
std::optional<UdpTrouble> read_trouble(msghdr& message, const sockaddr_storage& destination) {
    for (auto* at = CMSG_FIRSTHDR(&message); at != nullptr; at = CMSG_NXTHDR(&message, at)) {
        const bool is_error = (at->cmsg_level == IPPROTO_IP && at->cmsg_type == IP_RECVERR) ||
                              (at->cmsg_level == IPPROTO_IPV6 && at->cmsg_type == IPV6_RECVERR);
        if (!is_error) continue;
        const auto said = get<sock_extended_err>(at);
        UdpTrouble trouble;
        trouble.number = static_cast<int>(said.ee_errno);
        if (said.ee_errno == EMSGSIZE && said.ee_info > 0) trouble.mtu = said.ee_info;
        trouble.remote = Endpoint::from_sockaddr(destination);
        return trouble;
    }
    return std::nullopt;
}

}  // namespace

std::size_t Train::count() const {
    if (segment_size == 0) return bytes.empty() ? 0 : 1;
    return (bytes.size() + segment_size - 1) / segment_size;
}

std::span<std::byte> Train::next() {
    const auto first = bytes.first(std::min(segment_size, bytes.size()));
    bytes = bytes.subspan(first.size());
    return first;
}

Result<UdpPort> UdpPort::open(Fd socket) {
    int family = 0;
    socklen_t size = sizeof family;
    if (getsockopt(socket.get(), SOL_SOCKET, SO_DOMAIN, &family, &size) != 0)
        return std::unexpected(system_error(errno, "getsockopt"));
    UdpPort port(std::move(socket), family == AF_INET6);
    if (auto prepared = port.prepare(); !prepared)
        return std::unexpected(std::move(prepared).error());
    return port;
}

UdpPort::UdpPort(Fd socket, bool is_v6)
    : socket_(std::move(socket)), is_v6_(is_v6), buffer_(receive_limit) {}

Result<void> UdpPort::prepare() {
    const int fd = socket_.get();
    for (const auto& option : is_v6_ ? std::span<const Option>(v6_options) : v4_options)
        if (!set(fd, option.level, option.number, option.value))
            return std::unexpected(system_error(errno, "setsockopt").with("option", option.name));
    // Good to have. FORCE is for root; the others stop at net.core.rmem_max and wmem_max.
    if (!set(fd, SOL_SOCKET, SO_RCVBUFFORCE, receive_buffer))
        set(fd, SOL_SOCKET, SO_RCVBUF, receive_buffer);
    if (!set(fd, SOL_SOCKET, SO_SNDBUFFORCE, send_buffer))
        set(fd, SOL_SOCKET, SO_SNDBUF, send_buffer);
    set(fd, SOL_SOCKET, SO_RXQ_OVFL, 1);
    // A size of 0 means "none unless a call says so", and only a kernel that has it knows.
    offloads_.segmentation = set(fd, SOL_UDP, udp_segment, 0);
    offloads_.coalescing = set(fd, SOL_UDP, udp_gro, 1);
    return {};
}

int UdpPort::transmit(ByteView bytes, std::size_t segment_size, const UdpPath* path) {
    sockaddr_storage storage;
    iovec part{const_cast<std::byte*>(bytes.data()), bytes.size()};
    Control control;
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    auto* at = reinterpret_cast<cmsghdr*>(control.bytes.data());
    message.msg_control = at;
    if (path != nullptr) {
        message.msg_name = &storage;
        message.msg_namelen = put_address(path->remote, is_v6_, storage);
        if (!path->local.is_unspecified()) at = put_source(message, at, path->local, is_v6_);
    }
    if (bytes.size() > segment_size)
        put(message, at, SOL_UDP, udp_segment, static_cast<std::uint16_t>(segment_size));
    if (message.msg_controllen == 0) message.msg_control = nullptr;
    while (sendmsg(socket_.get(), &message, MSG_NOSIGNAL) < 0)
        if (errno != EINTR) return errno;
    sends_.add(datagrams(bytes, segment_size));
    return 0;
}

UdpPort::Sent UdpPort::send_train(ByteView& bytes, std::size_t segment_size, const UdpPath* path,
                                  Drops& drops) {
    if (bytes.size() <= segment_size || !offloads_.segmentation)
        return send_each(bytes, segment_size, path, drops);
    const int number = transmit(bytes, segment_size, path);
    if (would_block(number)) return Sent::later;
    // EIO: no card on the route computes the checksums that cutting needs. Others may be about the
    // train and not about its datagrams, which say more when they are sent alone.
    if (number == EIO || number == EOPNOTSUPP) offloads_.segmentation = false;
    if (number != 0 && number != ENOBUFS) return send_each(bytes, segment_size, path, drops);
    if (number != 0) drops.add(Drop::queue_full, datagrams(bytes, segment_size));
    bytes = {};
    return number == 0 ? Sent::all : Sent::failed;
}

UdpPort::Sent UdpPort::send_each(ByteView& bytes, std::size_t segment_size, const UdpPath* path,
                                 Drops& drops) {
    Sent sent = Sent::all;
    while (!bytes.empty()) {
        const auto one = bytes.first(std::min(segment_size, bytes.size()));
        int number = transmit(one, one.size(), path);
        if (would_block(number)) return Sent::later;
        if (number == ECONNREFUSED) {
            // About an earlier datagram, told to this one, which was not sent.
            note(number, path);
            sent = Sent::failed;
            number = transmit(one, one.size(), path);
        }
        bytes = bytes.subspan(one.size());
        if (number == 0) continue;
        drops.add(reason(number));
        note(number, path);
        sent = Sent::failed;
    }
    return sent;
}

std::optional<Train> UdpPort::receive_train() {
    sockaddr_storage source;
    Control control;
    iovec part{buffer_.data(), buffer_.size()};
    while (true) {
        msghdr message{};
        message.msg_name = &source;
        message.msg_namelen = sizeof source;
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        message.msg_control = control.bytes.data();
        message.msg_controllen = control.bytes.size();
        const auto count = recvmsg(socket_.get(), &message, MSG_DONTWAIT);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) {
            // What an ICMP message said about an earlier datagram comes out here too.
            if (!would_block(errno)) note(errno, nullptr);
            return std::nullopt;
        }
        const auto remote = Endpoint::from_sockaddr(source);
        if (!remote) continue;
        const Arrival arrival = read_control(message);
        if (arrival.overflow) {
            // A 32-bit counter that goes round.
            overflowed_ += *arrival.overflow - overflow_seen_;
            overflow_seen_ = *arrival.overflow;
        }
        const auto size = static_cast<std::size_t>(count);
        Train train{std::span(buffer_).first(size),
                    arrival.segment_size == 0 ? size : arrival.segment_size,
                    {*remote, arrival.local}};
        receives_.add(std::max<std::size_t>(train.count(), 1));  // an empty one is one too
        return train;
    }
}

std::uint64_t UdpPort::overflowed() const {
    std::array<std::uint32_t, SK_MEMINFO_VARS> memory{};
    socklen_t size = sizeof memory;
    if (getsockopt(socket_.get(), SOL_SOCKET, SO_MEMINFO, memory.data(), &size) != 0)
        return overflowed_;
    // Both count on from the same beginning and go round at the same place.
    return overflowed_ + (memory[SK_MEMINFO_DROPS] - overflow_seen_);
}

void UdpPort::note(int number, const UdpPath* path) {
    if (trouble_ || number == ENOBUFS) return;  // a full queue is no trouble of the path
    trouble_ = UdpTrouble{number, std::nullopt, std::nullopt};
    if (path != nullptr) trouble_->remote = path->remote;
}

std::optional<UdpTrouble> UdpPort::trouble() {
    sockaddr_storage destination;
    Control control;
    std::array<std::byte, 64> quoted;
    iovec part{quoted.data(), quoted.size()};
    while (true) {
        msghdr message{};
        message.msg_name = &destination;
        message.msg_namelen = sizeof destination;
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        message.msg_control = control.bytes.data();
        message.msg_controllen = control.bytes.size();
        if (recvmsg(socket_.get(), &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) {
            if (errno == EINTR) continue;
            return std::exchange(trouble_, std::nullopt);
        }
        if (auto trouble = read_trouble(message, destination)) {
            // The queue says it with more words than the call did.
            if (trouble_ && trouble_->number == trouble->number) {
                // But of a socket that is not connected it does not know the port.
                if (trouble->remote && trouble->remote->port == 0)
                    trouble->remote = trouble_->remote;
                trouble_.reset();
            }
            return trouble;
        }
    }
}

}  // namespace causeway::datapath
