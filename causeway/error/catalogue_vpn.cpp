// The rows of the connection: what happened to the user's VPN.

#include "causeway/error/catalogue_rows.h"

namespace causeway::rows {
namespace {

using enum Vpn;
using enum Move;
using enum Recovery;

// clang-format off
constexpr auto rows = std::to_array<Entry>({

    // General

    row<Vpn::overslept>(
        you, retry,
        "This machine slept longer than the session could live, and the gateway had ended it by "
        "the time it woke.",
        "Connect again; no setting needs to change.",
        {{"The gateway drops sessions that stay silent longer than its idle or disconnected "
          "timeout.",
          "Compare the length of the sleep (`journalctl -b -g 'PM: suspend'`) with the "
          "timeouts in the report."},
         {"The session reached its greatest length while the machine slept.",
          "Ask the operator for the session timeout, or read it in the gateway's "
          "configuration."}}),
    row<Vpn::noNetworkAvailable>(
        you, wait_for_network,
        "This machine has no network over which the gateway could be reached, so nothing was "
        "sent.",
        "Join a network, then connect again.",
        {{"No cable or wireless network is connected.",
          "`ip -br link` shows no interface that is UP besides lo."},
         {"An interface is up but was given no address.",
          "`ip -br addr`; then look at the DHCP client, for instance with `networkctl status` "
          "or `nmcli device`."},
         {"No route leads to the gateway's address.",
          "`ip route get ADDRESS`, with the address from the report, answers \"Network is "
          "unreachable\"."},
         {"The gateway has addresses of one family only (IPv6, say) and this network offers "
          "the other.",
          "`getent ahosts NAME` beside `ip -br addr`."}}),
    row<Vpn::unrecoverableNetworkChange>(
        network, retry,
        "The network under the running session changed, and the session could not be carried over"
        " to the new one.",
        "Connect again from the network you are in now.",
        {{"The gateway accepts a session only from the address it began at.",
          "The gateway's record of the incident names both addresses: `causeway-gateway "
          "incident ID`."},
         {"The new network has no route to the gateway in the family the old one had.",
          "`ip route get ADDRESS` with the gateway's address from the report."},
         {"The new local network uses addresses that the VPN also routes, so the routes "
          "collide.",
          "Compare `ip route` with the routes in the report."},
         {"The new network wants a sign-in page answered before it lets anything through.",
          "Open any http:// page in a browser and see whether it is redirected."}}),
    row<Vpn::configurationFailed>(
        you, give_up,
        "The settings cannot be used: one of them is wrong, or asks for something that this "
        "machine refuses.",
        "Correct the setting that the report names.",
        {{"A value is misspelt, out of range, or contradicts another one.",
          "The report names the setting, its value and what is allowed; `causeway run --help` "
          "lists them all."},
         {"A file that the settings name is missing or cannot be read.",
          "`ls -l FILE` as the user who connects."},
         {"This user may not create a tunnel, or the tunnel's name is taken.",
          "`ls -l /dev/net/tun` and `ip -br link show type tun`."},
         {"The gateway sent no address, or routes and name servers that make no sense.",
          "The report quotes the header; the operator finds it in the gateway's configuration."}}),
    row<Vpn::authenticationFailed>(
        you, ask_user,
        "The gateway did not accept the user name, password or other answers it was given.",
        "Enter the credentials again, watching for Caps Lock and an outdated saved password.",
        {{"The password is mistyped, has been changed, or has run out.",
          "Sign in with it where passwords are managed, or ask the administrator to reset it."},
         {"A question of the gateway (a second password, a token) was left without an answer.",
          "The report names the field; give it with `--answer FIELD=FILE`."},
         {"The account is locked, or too many failures have barred this address for a time.",
          "The gateway's operator sees both: `causeway-gateway user list` and "
          "`causeway-gateway bans`."},
         {"The user is not a member of the group that was asked for.",
          "Leave out the group, or ask the administrator which groups the account has."}}),
    row<Vpn::configurationNotFound>(
        you, give_up,
        "There is no VPN profile of that name on this machine.",
        "Check the spelling against the profiles that exist.",
        {{"The name is misspelt.",
          "The report lists the nearest names that exist."},
         {"The profile was removed or renamed after it was last used.",
          "Ask whoever manages this machine's profiles."},
         {"The profile belongs to another user and cannot be read.",
          "`ls -l` on the profile's file, as the user who connects."}}),
    row<Vpn::negotiationFailed>(
        operator_, give_up,
        "The server answered, but client and server could not agree on how to build the tunnel.",
        "Compare what the two sides speak; the report names the point on which they part.",
        {{"The address or the port belongs to something else: a web server, a sign-in page of "
          "the local network, SSH.",
          "`curl -vk https://SERVER:PORT/` and look at what answers."},
         {"The two sides have no TLS version or cipher suite in common.",
          "`openssl s_client -connect SERVER:PORT -tls1_2`, then `-tls1_3`."},
         {"The gateway wants a way of signing in that this client does not offer.",
          "The report names the form or method; ask the operator for another one."},
         {"The gateway failed inside while it built the session.",
          "The gateway's log at the time in the report."}}),

    // The server

    row<Vpn::serverAddressResolutionFailed>(
        you, retry,
        "The server's name could not be turned into an address.",
        "Check the name's spelling, then whether this network resolves names at all.",
        {{"The name is misspelt or no longer exists.",
          "`getent ahosts NAME`; the report says which resolver denied it."},
         {"The resolver does not answer, refuses, or fails itself.",
          "`resolvectl query NAME`, or `dig @RESOLVER NAME` with the resolver from the report."},
         {"This machine has no resolver configured.",
          "`cat /etc/resolv.conf`."},
         {"The name can only be resolved inside the organisation's own network.",
          "Ask the operator for the gateway's public name."}}),
    row<Vpn::serverNotResponding>(
        network, retry,
        "The server could not be reached, or stayed silent before a session existed.",
        "Check the address and port, then whether a firewall on the way blocks them.",
        {{"The gateway is switched off or not running.",
          "Ask the operator; on the gateway, `ss -ltn` shows whether anything listens on the "
          "port."},
         {"A firewall between here and there drops or refuses the port.",
          "`nc -vz SERVER PORT` from this network and from another one."},
         {"The address or port is wrong.",
          "Compare both with what the operator gave you."},
         {"The gateway is overloaded or full and closes new connections.",
          "The gateway's log at the time in the report."}}),
    row<Vpn::serverDead>(
        operator_, retry,
        "The server carried the session and then stopped answering, and every attempt to come "
        "back failed.",
        "Connect again; if it keeps happening, tell the gateway's operator the time in the "
        "report.",
        {{"The gateway was killed, crashed or lost its power.",
          "Ask the operator; on the gateway, `journalctl` at the time in the report."},
         {"The network between went down without a word.",
          "`ping` the gateway's address, and any other host outside the local network."},
         {"A firewall or address translator on the way forgot the connection.",
          "See whether it ends after the same idle time each time; a shorter keepalive or DPD "
          "interval on the gateway then helps."}}),
    row<Vpn::serverDisconnected>(
        operator_, ask_user,
        "The server ended the session, or would not give it one.",
        "Read the server's reason in the report, and connect again if it allows that.",
        {{"The session was idle too long or reached its greatest length.",
          "The report quotes the server's reason; the operator sets these timeouts."},
         {"An administrator ended it, or the gateway was shut down or restarted.",
          "Ask the operator, naming the incident id if there is one."},
         {"The same account connected elsewhere, or has as many sessions as it may have.",
          "`causeway-gateway sessions` on the gateway lists them."},
         {"The gateway has no address left to give.",
          "The operator compares `causeway-gateway sessions` with the size of the address "
          "pool."}}),

    // This side's certificate

    row<Vpn::clientCertificateInvalid>(
        administrator, give_up,
        "The client certificate cannot be used, or the gateway refused it.",
        "Get a certificate for this gateway from whoever issues them.",
        {{"The gateway demands a certificate and none was given.",
          "Give one with `--certificate` and `--key`."},
         {"The key does not belong to the certificate.",
          "`openssl x509 -in CERTIFICATE -noout -pubkey` and `openssl pkey -in KEY -pubout` "
          "must print the same."},
         {"The certificate comes from an authority that this gateway does not trust.",
          "`openssl x509 -in CERTIFICATE -noout -issuer`; compare with the issuers in the "
          "report."},
         {"The certificate was revoked, or is not meant for clients.",
          "`openssl x509 -in CERTIFICATE -noout -serial -purpose`; ask the issuer about the "
          "serial number."}}),
    row<Vpn::clientCertificateNotYetValid>(
        administrator, give_up,
        "The client certificate becomes valid only at a later time than this machine's clock "
        "shows.",
        "Check this machine's date and time, then wait for the certificate's first day or have it"
        " reissued.",
        {{"This machine's clock is slow.",
          "`date -u` beside a clock you trust; `timedatectl` shows whether it is synchronised."},
         {"The certificate was issued for a later start.",
          "`openssl x509 -in CERTIFICATE -noout -startdate`."},
         {"The certificate is new, and the gateway's clock is slow.",
          "Ask the operator to compare the gateway's clock."}}),
    row<Vpn::clientCertificateExpired>(
        administrator, give_up,
        "The client certificate's time is over.",
        "Have the certificate renewed by whoever issued it.",
        {{"The certificate was not renewed before its last day.",
          "`openssl x509 -in CERTIFICATE -noout -enddate`."},
         {"A renewed certificate exists, but the settings still name the old file.",
          "Compare the file in the report with the newest one you were given."},
         {"A clock is wrong: this machine's, or the gateway's.",
          "`date -u` here; ask the operator to compare the gateway's."}}),

    // The worker process

    row<Vpn::pluginFailed>(
        machine, retry,
        "One of Causeway's own processes on this machine died or did not do its work.",
        "Connect again; if it happens twice, send the report to whoever maintains this "
        "installation.",
        {{"The system ran out of memory and killed it.",
          "`journalctl -k -g 'Out of memory'` at the time in the report."},
         {"Somebody or something killed it.",
          "The report names the signal; `journalctl` shows who was active at that time."},
         {"It crashed.",
          "`coredumpctl list` or `journalctl -k -g segfault` at the time in the report."}}),
    row<Vpn::pluginDisabled>(
        administrator, give_up,
        "A program that this connection needs is not installed, may not be used, or is of the "
        "wrong version.",
        "Install the missing part, or have the administrator allow it.",
        {{"The program that the settings name does not exist or is not executable.",
          "`ls -l PROGRAM` with the path from the report."},
         {"Only one of two parts was upgraded, and they no longer understand each other.",
          "`causeway --version` and the version in the report; restart the service after an "
          "upgrade."},
         {"The administrator has switched it off.",
          "The report names the policy."},
         {"The gateway demands an examination of this machine, and no program for it is "
          "configured.",
          "Ask the operator whether this group can do without."}}),

    // The server's certificate

    row<Vpn::serverCertificateInvalid>(
        operator_, give_up,
        "The server's certificate does not prove that this is the server you asked for.",
        "Do not enter a password; have the gateway's operator confirm the certificate's "
        "fingerprint.",
        {{"The name in the certificate is not the name you connect to.",
          "The report lists the certificate's names; connect by one of them."},
         {"The issuing authority is not trusted here, or an intermediate certificate is not "
          "sent.",
          "`openssl s_client -connect SERVER:PORT -showcerts`; give a private authority with "
          "`--ca FILE`."},
         {"Something between here and the gateway answers in its place, to read the traffic.",
          "See whether the issuer in the report is the organisation's own, and try from "
          "another network."},
         {"The certificate is revoked, too weak, or not made for a server.",
          "The report names the rule; the operator has to replace the certificate."}}),
    row<Vpn::serverCertificateNotYetValid>(
        operator_, give_up,
        "The server's certificate becomes valid only at a later time than this machine's clock "
        "shows.",
        "Set this machine's clock right; if it is right, tell the gateway's operator.",
        {{"This machine's clock is slow, often after an empty battery or a restored snapshot.",
          "`date -u` beside a clock you trust; `timedatectl` shows whether it is synchronised."},
         {"The operator installed a new certificate before its first day.",
          "`openssl s_client -connect SERVER:PORT </dev/null | openssl x509 -noout "
          "-startdate`."}}),
    row<Vpn::serverCertificateExpired>(
        operator_, give_up,
        "The server's certificate has expired.",
        "Check this machine's clock, then ask the gateway's operator to renew the certificate.",
        {{"The certificate was not renewed in time.",
          "`openssl s_client -connect SERVER:PORT </dev/null | openssl x509 -noout -enddate`."},
         {"It was renewed, but the gateway still uses the old file.",
          "The operator reloads the gateway and compares the file's date with the one in the "
          "report."},
         {"An intermediate certificate or the root is the one that has expired.",
          "The report names the depth: 0 is the server's own."},
         {"This machine's clock is fast.",
          "`date -u` beside a clock you trust; `timedatectl` shows whether it is synchronised."}}),
});
// clang-format on

static_assert(all_differ(rows));
static_assert(rows.size() == enumerators_from<Vpn, 0, 64>());

}  // namespace

std::span<const Entry, 19> vpn() { return rows; }

}  // namespace causeway::rows
