// The rows of the secure channel that concern records and the transport below them, and those that
// are no failures but say where a session stands.

#include "causeway/error/catalogue_rows.h"

namespace causeway::rows {
namespace {

using enum Vpn;
using enum Move;
using enum Recovery;

// clang-format off
constexpr auto rows = std::to_array<Entry>({

    // How it ended

    row<Tls::errSSLClosedGraceful>(
        serverDisconnected, operator_, ask_user,
        "The other side closed the secure channel in order and said so.",
        "Connect again if you still need the connection.",
        {{"The other side ended the session on purpose and gave no further reason.",
          "The gateway's log at the time in the report, or `causeway-gateway incident ID`."},
         {"The gateway was shut down or restarted in order.",
          "Ask the operator."}}),
    row<Tls::errSSLClosedAbort>(
        serverNotResponding, network, retry,
        "The connection broke in the middle of a record: what arrived last is incomplete.",
        "Connect again; if it happens at the same point each time, send the report to the "
        "operator.",
        {{"The other side's process died while it was sending.",
          "The other side's log at the time in the report."},
         {"A device on the way cut the connection.",
          "See whether it happens from another network."},
         {"A record arrived too short to be one.",
          "The report says how many bytes came and how many were announced."}}),
    row<Tls::errSSLClosedNoNotify>(
        serverNotResponding, operator_, retry,
        "The connection was closed without the word that TLS prescribes for it, so the end may be"
        " missing.",
        "Connect again; if it ends at the same point each time, look in the other side's log.",
        {{"The other side closes at once what it does not want and does not say why.",
          "The other side's log at the time in the report."},
         {"The other side's process ended or crashed.",
          "Ask the operator whether the gateway was restarted."},
         {"A device on the way ended the connection in the other side's name.",
          "Try from another network."}}),
    row<Tls::errSSLConnectionRefused>(
        serverNotResponding, operator_, retry,
        "Nobody answered for the server: the port is closed, or the connection ended before the "
        "first byte came.",
        "Check the port, then whether the gateway runs.",
        {{"Nothing listens on that port.",
          "`nc -vz SERVER PORT`; on the gateway, `ss -ltnp`."},
         {"A firewall refuses the connection in the server's name.",
          "Try from another network, and from the gateway's own."},
         {"The server accepts and closes at once because it is full, or has barred this "
          "address.",
          "The gateway's log at the time in the report; on ours, `causeway-gateway bans`."},
         {"The gateway is just being restarted.",
          "Try again in a minute."}}),
    row<Tls::errSSLTransportReset>(
        serverNotResponding, network, retry,
        "The connection was reset: the other side, or something in its name, tore it down without"
        " a word.",
        "Connect again; if it keeps happening, try from another network to learn which side does "
        "it.",
        {{"A firewall that does not like the traffic resets it, often right after the first "
          "message.",
          "See whether it also happens from another network."},
         {"The other side's process was killed or crashed.",
          "The other side's log at the time in the report."},
         {"An address translator on the way forgot the connection after a silence.",
          "See whether it happens after the same idle time each time."},
         {"The server refuses this client and does not say why.",
          "The gateway's log at the time in the report."}}),
    row<Tls::errSSLNetworkTimeout>(
        serverNotResponding, network, retry,
        "The other side fell silent: it did not answer within the time allowed.",
        "See whether the server answers from another network; the report says in which phase it "
        "fell silent.",
        {{"A firewall drops the packets without a word.",
          "`nc -vz SERVER PORT` hangs too; try from another network."},
         {"The server is overloaded, or its process hangs.",
          "Ask the operator; the gateway's log at that time."},
         {"Large packets are lost on the way, small ones pass.",
          "`ping -M do -s 1400 SERVER`, and then with smaller sizes."},
         {"Another kind of server waits for the client to speak another protocol.",
          "`nc SERVER PORT`, and see what it says."}}),

    // Records

    row<Tls::errSSLDecryptionFail>(
        negotiationFailed, network, retry,
        "A record arrived that cannot be decrypted: it was altered on the way, or sealed under "
        "another key.",
        "Connect again; if it happens again, try from another network.",
        {{"Something on the way damages or alters the traffic.",
          "See whether large downloads over this network also break: `curl` a big file and "
          "compare its checksum."},
         {"Memory or a network card is faulty.",
          "`ethtool -S INTERFACE | grep -i err`; switch off its offloads for a try: `ethtool "
          "-K INTERFACE rx off tx off`."},
         {"The other side lost count of its keys: a defect in it.",
          "It happens always after the same time or amount of data."}}),
    row<Tls::errSSLBadRecordMac>(
        negotiationFailed, network, retry,
        "A record arrived whose check value does not fit its contents: it was altered on the way.",
        "Connect again; if it happens again, try from another network.",
        {{"Something on the way damages or alters the traffic.",
          "See whether large downloads over this network also break: `curl` a big file and "
          "compare its checksum."},
         {"Memory or a network card is faulty.",
          "`ethtool -S INTERFACE | grep -i err`."},
         {"The other side's TLS software is faulty.",
          "Ask for its name and version, and whether other clients are affected."}}),
    row<Tls::errSSLRecordOverflow>(
        negotiationFailed, operator_, give_up,
        "The other side sent more in one piece than the protocol allows.",
        "Check that the port belongs to a TLS server; if it does, send the report to its "
        "operator.",
        {{"The other side does not speak TLS, and its text was taken for a record's length.",
          "The report quotes the first bytes; `nc SERVER PORT` shows what it says."},
         {"The other side's TLS software is faulty.",
          "Ask for its name and version."},
         {"Something on the way alters the traffic.",
          "Try from another network."}}),
    row<Tls::errSSLUnexpectedRecord>(
        negotiationFailed, network, retry,
        "Not a failure: a packet of the UDP channel came late, twice or out of place, and was "
        "counted and dropped.",
        "Leave it as it is; only a quickly growing count deserves a look at the network.",
        {{"The network delivers packets out of order or twice.",
          "The counters of the session show how many; a few in a thousand are usual."},
         {"Somebody sends stray or recorded packets to the port.",
          "The count grows while the session carries nothing."}}),

    // Where a session stands

    row<Tls::errSSLWouldBlock>(
        negotiationFailed, machine, retry,
        "Not a failure: the channel is waiting for data, or for room to send.",
        "Call again when the socket is ready; only programs ever see this number.",
        {{"More bytes have to arrive, or to be sent, before the call can finish.",
          "Wait for the socket with poll(2), then call again."}}),
    row<Tls::errSSLBufferOverflow>(
        negotiationFailed, operator_, give_up,
        "Something is larger than the room set aside for it: a message of the other side, or an "
        "answer that a program asked for.",
        "Check that the server is the VPN gateway you mean; the report says what was too large, "
        "and the limit.",
        {{"A server of another kind answers, with a page far larger than any message of a "
          "gateway.",
          "`curl -vk https://SERVER:PORT/` and look at what answers."},
         {"The other side is faulty, or tries to exhaust this one's memory.",
          "The report names the part that grew; ask the operator for the software's name and "
          "version."},
         {"A program that uses the C interface offers too small a buffer.",
          "Nothing has then travelled over the network; look at the call before it in that "
          "program."}}),
    row<Tls::errSSLPeerAuthCompleted>(
        negotiationFailed, machine, ask_user,
        "Not a failure: the other side's certificate is there, and the program may look at it "
        "before the handshake goes on.",
        "Decide about the certificate, then continue the handshake; only programs ever see this "
        "number.",
        {{"A program asked to be given the certificate itself.",
          "It set the option to break on server or client authentication."}}),
    row<Tls::errSSLClientHelloReceived>(
        negotiationFailed, machine, retry,
        "Not a failure: a client's greeting was read, and the server may choose its certificate "
        "by the name in it.",
        "Choose the certificate, then continue the handshake; only programs ever see this number.",
        {{"A program asked to choose by the name the client wants.",
          "It set the option to break on the client's hello."}}),
    row<Tls::errSSLEarlyDataRejected>(
        negotiationFailed, machine, retry,
        "Not a failure: the server did not take the data sent ahead of the handshake, so they are"
        " sent again.",
        "Leave it as it is; Causeway sends nothing ahead, so only other programs on this library "
        "see it.",
        {{"The server restarted, or does not accept early data.",
          "The same data pass when sent after the handshake."}}),
});
// clang-format on

static_assert(all_differ(rows));

}  // namespace

std::span<const Entry, 15> tls_transport() { return rows; }

}  // namespace causeway::rows
