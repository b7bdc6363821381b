// The parts of setup.h that need no undo: interfaces that go with their process, and questions.

#include "causeway/base/file.h"
#include "causeway/base/text.h"
#include "causeway/device/apply.h"
#include "causeway/device/setup.h"

#include <fmt/format.h>
#include <unistd.h>

namespace causeway::device {
namespace {

std::unexpected<Error> failed(std::string step, std::string detail, Error below) {
    return fail(
        Vpn::configurationFailed, "the tunnel's interface could not be set up",
        Error{Service::SYSTEM_INTERNAL_ERROR, std::move(detail), {{"step", std::move(step)}}}
            .because(std::move(below)));
}

bool is_set(const std::string& path, std::string_view value) {
    const auto text = read_file(path, 64);
    return text && trim(*text) == value;
}

}  // namespace

Result<void> bring_up(const std::string& interface, const std::vector<Prefix>& addresses, int mtu) {
    auto netlink = Netlink::open();
    if (!netlink)
        return failed("netlink", "the kernel's network settings could not be reached",
                      std::move(netlink).error());
    auto machine = look_at_machine(*netlink, interface);
    if (!machine)
        return failed("link", "the interface could not be found", std::move(machine).error());

    const int link = machine->link.index;
    if (machine->link_takes_ipv6)
        if (auto left = netlink->leave_unnumbered(link); !left)
            return failed("link", "the interface could not be prepared", std::move(left).error());
    if (auto up = netlink->set_link({link, mtu, true}); !up)
        return failed("link", fmt::format("an MTU of {} could not be set", mtu),
                      std::move(up).error());
    for (const auto& address : addresses)
        if (auto added = netlink->add_address(link, address, Netlink::OnLinkRoute::by_kernel);
            !added)
            return failed("address", fmt::format("the address {} could not be set", address.text()),
                          std::move(added).error());
    return {};
}

bool has_ipv6() {
    return access("/proc/net/if_inet6", F_OK) == 0 &&
           is_set("/proc/sys/net/ipv6/conf/default/disable_ipv6", "0");
}

bool forwards(Family family) {
    return is_set(family == Family::ipv4 ? "/proc/sys/net/ipv4/ip_forward"
                                         : "/proc/sys/net/ipv6/conf/all/forwarding",
                  "1");
}

}  // namespace causeway::device
