// CONNECT, asked and answered, from any bytes.

#include "causeway/protocol/connect_request.h"
#include "causeway/protocol/datagram_suites.h"
#include "causeway/protocol/limits.h"
#include "tests/fuzz/input.h"

using namespace causeway;
using namespace causeway::protocol;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto bytes = fuzz::view(data, size);

    HttpRequestReader reader;
    reader.feed(bytes);
    if (const auto http = reader.next(); http && *http) {
        const auto request = read_connect_request(**http);
        if (!request) fuzz::require(!request.error().fact("http_status").empty());
        if (request) {
            fuzz::require(!request->cookie.empty() &&
                          request->cookie.reveal().size() <= cookie_limit);
            fuzz::require(request->master_secret.reveal().size() % 48 == 0);
            fuzz::require(known_suites(request->datagram12_ciphers).size() <= 4);
            HttpRequestReader second;
            second.feed(as_bytes(write_connect_request(*request).reveal()));
            const auto again = second.next();
            fuzz::require(again && *again && read_connect_request(**again).has_value());
        }
    }

    ConnectReply reply;
    reply.feed(bytes);
    if (const auto granted = reply.next(); granted && *granted)
        fuzz::require((*granted)->address_v4 || (*granted)->address_v6);
    return 0;
}
