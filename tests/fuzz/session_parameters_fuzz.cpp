// What a gateway grants. Parameters that were read are written and read again, the same.

#include "causeway/protocol/http_reader.h"
#include "causeway/protocol/session_parameters.h"
#include "tests/fuzz/input.h"

using namespace causeway;
using namespace causeway::protocol;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    HttpResponseReader reader;
    reader.expect_tunnel();
    reader.feed(as_bytes("HTTP/1.1 200 CONNECTED\r\n"));
    reader.feed(fuzz::view(data, size));
    reader.feed(as_bytes("\r\n\r\n"));
    const auto response = reader.next();
    if (!response || !*response) return 0;
    auto read = read_session_parameters((*response)->headers);
    if (!read) {
        fuzz::require(read.error().code == Code(Vpn::negotiationFailed));
        return 0;
    }
    if (read->datagram) {
        const auto& datagram = *read->datagram;
        fuzz::require(datagram.app_id.size() <= 32);
        fuzz::require(datagram.session_id.empty() || datagram.session_id.size() == 32);
        fuzz::require(datagram.connection_id.empty() || datagram.connection_id.size() == 8);
        fuzz::require(!datagram.resumes || !datagram.cipher_suite.empty());
    }
    fuzz::require(read->mtu >= 576 && read->mtu <= 16384);
    fuzz::require(read->base_mtu == 0 || (read->base_mtu >= 576 && read->base_mtu <= 65535));
    fuzz::require(read->address_v4 || read->address_v6);

    // A rekey time without a method is not written, nor a method without one that is known.
    if (read->rekey_method == RekeyMethod::none) read->rekey_time = {};
    if (read->datagram && read->datagram->rekey_method == RekeyMethod::none)
        read->datagram->rekey_time = {};
    Headers headers;
    write_session_parameters(*read, headers);
    const auto again = read_session_parameters(headers);
    fuzz::require(again.has_value() && *again == *read);
    return 0;
}
