#include "causeway/service/plain_tun.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>

namespace causeway::service {
namespace {

constexpr const char* clone_device = "/dev/net/tun";
constexpr const char* chosen_by_kernel = "cw%d";

std::unexpected<Error> refused(int number, const char* call) {
    auto below = system_error(number, call).with("file", clone_device);
    if (number == ENOENT || number == ENODEV || number == ENXIO)
        return fail(Service::CAPABILITY_NOT_SUPPORTED,
                    fmt::format("this machine has no TUN device at {}", clone_device),
                    std::move(below));
    return std::unexpected(Error{
        Service::SYSTEM_INTERNAL_ERROR,
        "no TUN interface could be made",
        {{"step", "tun"}}}.because(std::move(below)));
}

ifreq request_for(const std::string& name, int flags) {
    ifreq request{};
    request.ifr_flags = static_cast<short>(flags);
    name.copy(request.ifr_name, IFNAMSIZ - 1);
    return request;
}

}  // namespace

Result<PlainTun> open_plain_tun(bool is_blocking) {
    PlainTun tun;
    const int mode = is_blocking ? 0 : O_NONBLOCK;
    tun.descriptor.reset(open(clone_device, O_RDWR | O_CLOEXEC | mode));
    if (!tun.descriptor) return refused(errno, "open");
    auto request = request_for(chosen_by_kernel, IFF_TUN | IFF_NO_PI | IFF_TUN_EXCL);
    if (ioctl(tun.descriptor.get(), TUNSETIFF, &request) != 0)
        return refused(errno, "ioctl TUNSETIFF");
    tun.name = request.ifr_name;
    tun.index = static_cast<int>(if_nametoindex(request.ifr_name));
    return tun;
}

void remove_abandoned_tun(const std::string& name, int index) {
    if (static_cast<int>(if_nametoindex(name.c_str())) != index) return;
    const Fd tun(open(clone_device, O_RDWR | O_CLOEXEC));
    // Refused as long as its program has it; then it goes with that program.
    auto request = request_for(name, IFF_TUN | IFF_NO_PI);
    if (tun && ioctl(tun.get(), TUNSETIFF, &request) == 0) ioctl(tun.get(), TUNSETPERSIST, 0);
}

}  // namespace causeway::service
