// News of the kernel's network settings, whoever changed them.

#pragma once

#include "causeway/base/fd.h"
#include "causeway/error/error.h"

#include <cstdint>

namespace causeway::device {

class Monitor {
public:
    /// Of one run's table and its link, and of links, rules and the firewall altogether. Fails with
    /// the errno.
    static Result<Monitor> open(std::uint32_t table, int link);

    /// Readable when there is news.
    int fd() const { return poll_.get(); }

    /// Another link is the run's from now on.
    void follow(int link) { link_ = link; }

    /// Reads all news; whether any of it may concern the run.
    bool drain();

private:
    Monitor(Fd poll, Fd route, Fd firewall, std::uint32_t table, int link)
        : poll_(std::move(poll)),
          route_(std::move(route)),
          firewall_(std::move(firewall)),
          table_(table),
          link_(link) {}
    bool drain(int socket);

    Fd poll_;
    Fd route_;
    Fd firewall_;  ///< None where the kernel has no firewall.
    std::uint32_t table_;
    int link_;
};

}  // namespace causeway::device
