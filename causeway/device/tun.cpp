#include "causeway/device/tun.h"

#include "causeway/base/file.h"
#include "causeway/base/text.h"
#include "causeway/device/limits.h"
#include "causeway/device/netlink.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

namespace causeway::device {
namespace {

constexpr const char* clone_device = "/dev/net/tun";
constexpr const char* chosen_by_kernel = "cw%d";

Error invalid_name(std::string_view name, std::string why) {
    return Error{Service::INVALID_PARAMETER_VALUE,
                 fmt::format("\"{}\" is no interface name: {}", printable(name), why)}
        .with("field", "interface")
        .with("value", printable(name));
}

bool is_allowed(char letter) {
    return letter > ' ' && letter < '\x7f' && letter != '/' && letter != ':' && letter != '%';
}

/// A process that holds a TUN has its name in the "iff:" line of the descriptor's fdinfo.
bool holds(const std::filesystem::path& process, std::string_view interface) {
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(process / "fdinfo", ignored)) {
        const auto text = read_file(entry.path().string(), 16 * 1024);
        if (!text) continue;
        for (const auto line : split(*text, '\n'))
            if (line.starts_with("iff:") && trim(line.substr(4)) == interface) return true;
    }
    return false;
}

/// "causeway (1234)", or nothing where /proc does not tell.
std::string holder_of(std::string_view interface) {
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator("/proc", ignored)) {
        const std::string pid = entry.path().filename().string();
        if (!std::ranges::all_of(pid, [](char c) { return c >= '0' && c <= '9'; })) continue;
        if (!holds(entry.path(), interface)) continue;
        const auto program = read_file(entry.path() / "comm", 64).value_or("a process");
        return fmt::format("{} ({})", printable(trim(program)), pid);
    }
    return {};
}

Error name_is_taken(const std::string& name, Error below) {
    Error error{Service::VPN_ALREADY_EXISTS,
                fmt::format("there is an interface {} already", printable(name))};
    error.with("interface", name);
    if (const auto holder = holder_of(name); !holder.empty()) error.with("holder", holder);
    return std::move(error).because(std::move(below));
}

Error service_error(int number, const char* call, const std::string& name) {
    auto below = system_error(number, call).with("file", clone_device);
    switch (number) {
        case EPERM:
        case EACCES:
            return Error{Service::VPN_CREATION_DENIED,
                         "this process may not make a TUN interface: it lacks CAP_NET_ADMIN"}
                .because(std::move(below));
        case ENOENT:
        case ENODEV:
        case ENXIO:
            return Error{Service::CAPABILITY_NOT_SUPPORTED,
                         fmt::format("this machine has no TUN device at {}", clone_device)}
                .because(std::move(below));
        case EBUSY: return name_is_taken(name, std::move(below));
        default:
            return Error{Service::SYSTEM_INTERNAL_ERROR, "the kernel made no TUN interface"}
                .with("step", "tun")
                .because(std::move(below));
    }
}

std::unexpected<Error> refused(Error service) {
    return fail(Vpn::configurationFailed, "the tunnel's interface could not be made",
                std::move(service));
}

/// The ioctl answers EINVAL, not EBUSY, for a name that an interface of another kind has.
int telling_errno(int number, const std::string& name) {
    return number == EINVAL && if_nametoindex(name.c_str()) != 0 ? EBUSY : number;
}

Result<Fd> open_clone_device() {
    Fd fd(open(clone_device, O_RDWR | O_NONBLOCK | O_CLOEXEC));
    if (!fd) {
        const int number = errno;
        auto service = service_error(number, "open", {});
        // The node itself may be for root only, whatever the capabilities are.
        if (number == EACCES) service.detail = fmt::format("{} may not be opened", clone_device);
        return refused(std::move(service));
    }
    return fd;
}

/// Attaches the descriptor to the interface and returns the interface's name.
Result<std::string> attach(int fd, const std::string& name, int flags) {
    ifreq request{};
    request.ifr_flags = static_cast<short>(flags);
    name.copy(request.ifr_name, interface_name_limit);
    if (ioctl(fd, TUNSETIFF, &request) != 0) {
        const int number = telling_errno(errno, name);
        return refused(service_error(number, "ioctl TUNSETIFF", name));
    }
    return std::string(request.ifr_name);
}

int flags_for(int fd, std::size_t queue_count) {
    // Kernels without the header have no offloads either; packets then come one by one.
    unsigned features = 0;
    const bool has_header =
        ioctl(fd, TUNGETFEATURES, &features) == 0 && (features & IFF_VNET_HDR) != 0;
    return IFF_TUN | IFF_NO_PI | (has_header ? IFF_VNET_HDR : 0) |
           (queue_count > 1 ? IFF_MULTI_QUEUE : 0);
}

Result<void> shorten_queue(int index, std::uint32_t length) {
    auto netlink = Netlink::open();
    if (!netlink) return pass(netlink);
    return netlink->set_queue(index, {length, super_packet_size, super_packet_segments});
}

}  // namespace

Result<void> check_interface_name(std::string_view name) {
    if (name.empty() || name.size() > interface_name_limit)
        return std::unexpected(invalid_name(name, "it must have 1 to 15 characters"));
    if (name == "." || name == "..")
        return std::unexpected(invalid_name(name, "\".\" and \"..\" are names of folders"));
    const auto wrong = std::ranges::find_if_not(name, is_allowed);
    if (wrong != name.end())
        return std::unexpected(invalid_name(
            name, fmt::format("it may not contain '{}'", printable(std::string(1, *wrong)))));
    return {};
}

Result<Tun> open_tun(std::string_view name, std::size_t queue_count, std::uint32_t queue_length) {
    if (!name.empty())
        if (auto valid = check_interface_name(name); !valid)
            return refused(std::move(valid).error());
    Tun tun{.queues = {}, .name = std::string(name.empty() ? chosen_by_kernel : name)};
    do {
        auto fd = open_clone_device();
        if (!fd) return pass(fd);
        const int flags = flags_for(fd->get(), queue_count);
        // Exclusive: a persistent interface of that name, left by somebody, is not taken over.
        auto made = attach(fd->get(), tun.name, tun.queues.empty() ? flags | IFF_TUN_EXCL : flags);
        if (!made) return pass(made);
        tun.name = std::move(*made);
        tun.queues.push_back(std::move(*fd));
    } while (tun.queues.size() < queue_count);
    tun.index = static_cast<int>(if_nametoindex(tun.name.c_str()));
    if (auto shortened = shorten_queue(tun.index, queue_length); !shortened)
        return refused(Error{
            Service::SYSTEM_INTERNAL_ERROR, "its queue could not be shortened", {{"step", "queue"}}}
                           .because(std::move(shortened).error()));
    return tun;
}

}  // namespace causeway::device
