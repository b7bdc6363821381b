// What a CONNECT is offered of datagrams: which way to a key, under which names, on which port.

#pragma once

#include "causeway/gateway/datagram_link.h"
#include "causeway/gateway/registry.h"
#include "causeway/protocol/connect_request.h"
#include "causeway/protocol/session_parameters.h"
#include "causeway/tls/stream.h"

#include <optional>

namespace causeway::gateway {

struct DatagramOffer {
    DatagramTerms terms;
    protocol::DatagramParameters parameters;
};

/// PSK-NEGOTIATE's key, which changes when the channel renegotiates. Fails as the exporter does.
Result<tls::PskKey> exported_key(const tls::Stream& channel);

/// Nothing when datagrams are switched off, or the client knows no way to a key that we know.
/// `told` is what the CONNECT is answered besides; `local` the address the client connected to.
/// Fails as the exporter of the channel does.
Result<std::optional<DatagramOffer>> offer_datagrams(const protocol::ConnectRequest& request,
                                                     const protocol::SessionParameters& told,
                                                     const Grant& grant, const tls::Stream& channel,
                                                     const Party& party, const Endpoint& local,
                                                     Place tunnel);

}  // namespace causeway::gateway
