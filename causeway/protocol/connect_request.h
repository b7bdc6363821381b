// CONNECT: how a client with a cookie asks for its session, and how the gateway answers.

#pragma once

#include "causeway/base/address.h"
#include "causeway/base/secret.h"
#include "causeway/error/error.h"
#include "causeway/protocol/http_reader.h"
#include "causeway/protocol/reason.h"
#include "causeway/protocol/session_parameters.h"
#include "causeway/protocol/url.h"

#include <optional>
#include <string>
#include <vector>

namespace causeway::protocol {

struct ConnectRequest {
    Secret cookie;     ///< The value of `webvpn`.
    std::string host;  ///< As in the Host header.
    std::string user_agent;
    std::string hostname;  ///< The client machine's name, or "".
    int base_mtu = 0;      ///< Of the client's link, or 0.
    int mtu = 0;           ///< Wished for the tunnel, or 0.
    bool wants_v4 = true;
    bool wants_v6 = true;
    bool knows_v6_headers = true;  ///< X-CSTP-Full-IPv6-Capability.
    std::vector<IpAddress> wished_addresses = {};
    std::string datagram_ciphers = {};    ///< X-DTLS-CipherSuite, or "".
    std::string datagram12_ciphers = {};  ///< X-DTLS12-CipherSuite, or "".
    /// The 48 bytes of X-DTLS-Master-Secret, or empty. Only for the suites of `datagram12_ciphers`.
    Secret master_secret = {};
    bool is_own_end = false;  ///< X-Causeway-Datagram: it knows our ways of using datagrams.
    bool bundles = false;     ///< X-Causeway-Bundle: several packets in a TLS record are welcome.
};

/// The whole request; holds the cookie.
Secret write_connect_request(const ConnectRequest& request);

/// Whether a request is a CONNECT for the tunnel, and not to something else.
bool is_connect(const HttpRequest& request);
/// Reads a client's CONNECT. Fails with authenticationFailed (no cookie) or negotiationFailed (no
/// such path, no family, a number that is none); evidence `http_status` is what to answer.
Result<ConnectRequest> read_connect_request(const HttpRequest& request);

/// "HTTP/1.1 200 CONNECTED" with all headers. `has_v6_headers` as the client said: without them
/// an IPv6 address comes in the IPv4 headers and IPv6 routes are left out.
std::string write_connect_accepted(const SessionParameters& parameters,
                                   bool knows_v6_headers = true);

/// What a gateway's answer to CONNECT means.
///
/// Fails with the gateway's own code when it gives one; else authenticationFailed for a cookie it
/// does not accept (evidence `reauthenticate=yes`, and `candidates` where its answer has several
/// causes), serverDisconnected for a 503 with X-Reason, negotiationFailed for everything else.
Result<SessionParameters> read_connect_response(const HttpResponse& response);

/// Reads the answer to CONNECT out of the stream.
class ConnectReply {
public:
    ConnectReply() { reader_.expect_tunnel(); }

    void feed(ByteView bytes) { reader_.feed(bytes); }
    /// What was granted, or nothing until more is fed.
    Result<std::optional<SessionParameters>> next();
    /// What arrived behind the answer: the first bytes of the CSTP stream.
    Bytes take_rest() { return reader_.take_rest(); }

private:
    HttpResponseReader reader_;
};

}  // namespace causeway::protocol
