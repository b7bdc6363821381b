// The rows of the service: what this machine's VPN service refused.

#include "causeway/error/catalogue_rows.h"

namespace causeway::rows {
namespace {

using enum Vpn;
using enum Move;
using enum Recovery;

// clang-format off
constexpr auto rows = std::to_array<Entry>({
    row<Service::PERMISSION_DENIED>(
        configurationFailed, administrator, give_up,
        "The caller has not been given the right to control this VPN.",
        "Ask an administrator for that right, or act as the user who owns the VPN.",
        {{"The user is not in the group, or the policy does not let this program manage VPNs.",
          "`id` shows the groups; an administrator looks at the service's policy file or the "
          "polkit rules."},
         {"The VPN that was addressed belongs to another user.",
          "The report names the owner."},
         {"Authorisation must be confirmed, and nobody was there to be asked.",
          "Try from a desktop session, or as an administrator."}}),
    row<Service::NOT_SYSTEM_CALLER>(
        configurationFailed, administrator, give_up,
        "An ordinary user called something that only administrators and the system may call.",
        "Have an administrator do it, or use the call that is meant for users.",
        {{"Always-on, lockdown or another user's profiles were addressed without being root.",
          "`id -u` of the caller must be 0, or the administrator's polkit action must be "
          "granted."},
         {"A program calls the wrong method.",
          "The report names the method."}}),
    row<Service::PROHIBITED_BY_POLICY>(
        configurationFailed, administrator, give_up,
        "The administrator of this machine has switched VPNs off, for everybody or for this user.",
        "Ask the administrator whether the rule is meant for you.",
        {{"The service's policy forbids it.",
          "The report names the policy's file and key."}}),
    row<Service::PARAMETER_ERROR>(
        configurationFailed, machine, give_up,
        "A request is not built as it must be: something is missing, of the wrong type, or cannot"
        " be read.",
        "Correct the field that the report names in the program that made the request.",
        {{"A mandatory field is missing or has the wrong type.",
          "The report names the field and what was expected there."},
         {"The two programs are of different versions.",
          "`causeway --version` and the version of the other program."},
         {"The text is not valid JSON, or is larger than is accepted.",
          "The report names the place and the limit."}}),
    row<Service::CAPABILITY_NOT_SUPPORTED>(
        configurationFailed, administrator, give_up,
        "This machine cannot do what was asked: the kernel or the system lacks the part for it.",
        "Provide the missing part that the report names, or do without it.",
        {{"The kernel has no TUN device, or the container was not given it.",
          "`ls -l /dev/net/tun`; `modprobe tun` on the host; for a container, pass the device "
          "in."},
         {"Policy routing, nftables or IPv6 is missing in this kernel.",
          "`ip rule`, `nft list tables`, `cat /proc/sys/net/ipv6/conf/all/disable_ipv6`."},
         {"The kernel is older than the feature.",
          "`uname -r` beside the version in the report."}}),
    row<Service::VPN_CREATION_DENIED>(
        configurationFailed, administrator, give_up,
        "This user may not create a VPN on this machine.",
        "Run it as root, or ask the administrator for the right to administer networks "
        "(CAP_NET_ADMIN).",
        {{"The program runs without the right to make a TUN device.",
          "`id -u` is not 0 and `capsh --print` does not show cap_net_admin."},
         {"The container was started without that right.",
          "Start it with the capability NET_ADMIN and with the device /dev/net/tun."},
         {"The account is one that may not own a VPN: a guest, or a user who is not signed in.",
          "`loginctl list-sessions`, and the service's policy."},
         {"The device node may be opened by root only.",
          "`ls -l /dev/net/tun`; the usual mode is crw-rw-rw-."}}),
    row<Service::VPN_ALREADY_EXISTS>(
        configurationFailed, you, ask_user,
        "A VPN of that name is already up, or is just being set up.",
        "End the other one first, or choose another name: `--interface` for the client, a `vpnId` "
        "for the service.",
        {{"Another Causeway client runs with the same interface name.",
          "`ip -br link show type tun`, and `pgrep -a causeway`."},
         {"Another VPN program holds the name.",
          "The report names the interface; `ip -d link show INTERFACE` tells its kind."},
         {"The machine's VPN service has one, of this user or another.",
          "The report names the owner and since when; `causeway service status` shows it."},
         {"An interface was left behind by a program that made it persistent.",
          "`ip tuntap show`; remove it with `ip tuntap del dev INTERFACE mode tun`."}}),
    row<Service::INVALID_SOCKET_FD>(
        serverNotResponding, machine, give_up,
        "The descriptor that was to bypass the tunnel is not an open IP socket.",
        "Open the socket first, then hand over its live descriptor.",
        {{"The descriptor was closed before it was handed over.",
          "The errno in the report is EBADF."},
         {"It is a file, a pipe or a Unix socket.",
          "`ls -l /proc/PID/fd/NUMBER` of the program that handed it over."},
         {"It is in the tunnel already: bound to its interface, or to its address by a connection.",
          "The report says so; protect the socket before it is connected."}}),
    row<Service::INVALID_PARAMETER_VALUE>(
        configurationFailed, you, give_up,
        "A value has the right type and an impossible content.",
        "Correct the field that the report names; it also says what is allowed.",
        {{"An address, prefix, route or name server is out of range or contradicts another "
          "one.",
          "The report quotes the field and its value."},
         {"The MTU is below 576, below 1280 with IPv6, or above what the link carries.",
          "`ip link show` for the link's MTU."},
         {"A list names something that does not exist, or the same thing twice.",
          "The report quotes the item."}}),
    row<Service::SYSTEM_INTERNAL_ERROR>(
        configurationFailed, machine, retry,
        "The machine refused a step of setting up the VPN after everything had been checked, and "
        "the steps before it were undone.",
        "Look at the step and the system's reason in the report; if they mean nothing to you, "
        "send them to the maintainer of this installation.",
        {{"The kernel refused an address, route or rule.",
          "The report names the step and the errno; `dmesg | tail` may say more."},
         {"Another program manages the same interface, routes or resolver file.",
          "`ip monitor` while connecting shows who changes what."},
         {"The service ran out of memory or file descriptors.",
          "`journalctl -k -g 'Out of memory'`, and `cat /proc/PID/limits`."}}),
});
// clang-format on

static_assert(all_differ(rows));
static_assert(rows.size() == enumerators_from<Service, 200, 300>() +
                                 enumerators_from<Service, 800, 100>() +
                                 enumerators_from<Service, 2203000, 100>() +
                                 enumerators_from<Service, 19900000, 100>());

}  // namespace

std::span<const Entry, 10> service() { return rows; }

}  // namespace causeway::rows
