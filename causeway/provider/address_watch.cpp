#include "causeway/provider/address_watch.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

namespace causeway::provider {
namespace {

/// Which address it was is not read: the session asks for its own.
void empty(int socket) {
    std::array<std::byte, 4096> message;
    // ENOBUFS says that some were too many, and is over with being read.
    while (recv(socket, message.data(), message.size(), MSG_DONTWAIT) > 0 || errno == ENOBUFS)
        errno = 0;
}

}  // namespace

Result<AddressWatch> AddressWatch::open() {
    Fd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE));
    if (!socket) return std::unexpected(system_error(errno, "socket"));
    sockaddr_nl address{};
    address.nl_family = AF_NETLINK;
    address.nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR;
    if (bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        return std::unexpected(system_error(errno, "bind"));
    return AddressWatch(std::move(socket));
}

void AddressWatch::start(EventLoop& loop, EventLoop::Action changed) {
    watch_ = loop.watch(socket_.get(), EPOLLIN,
                        [socket = socket_.get(), changed = std::move(changed)](auto) mutable {
                            empty(socket);
                            changed();
                        });
}

}  // namespace causeway::provider
