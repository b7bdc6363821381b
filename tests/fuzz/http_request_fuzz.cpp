// Requests from strangers: the same stream means the same however it is cut, what is kept stays
// within the limits, and what was read can be written and read again.

#include "causeway/protocol/http_reader.h"
#include "causeway/protocol/http_writer.h"
#include "tests/fuzz/input.h"

#include <string>

using namespace causeway;
using namespace causeway::protocol;

namespace {

std::string read(ByteView bytes, std::size_t step) {
    HttpRequestReader reader;
    std::string all;
    bool failed = false;
    fuzz::in_pieces(bytes, step, [&](ByteView piece) {
        if (failed) return;
        reader.feed(piece);
        while (true) {
            const auto request = reader.next();
            if (!request) failed = true;
            if (!request || !*request) return;
            fuzz::require((*request)->body.size() <= gateway_http_limits.body);
            fuzz::require((*request)->headers.size() <= gateway_http_limits.headers);
            all += (*request)->method + (*request)->target + (*request)->body + "\n";
        }
    });
    return all;
}

void read_again(ByteView bytes) {
    HttpRequestReader reader;
    reader.feed(bytes);
    const auto request = reader.next();
    if (!request || !*request) return;
    HttpRequest plain;
    plain.method = (*request)->method;
    plain.target = (*request)->target;
    plain.body = (*request)->body;
    HttpRequestReader second;
    second.feed(as_bytes(write_request(plain)));
    const auto again = second.next();
    fuzz::require(again && *again && (*again)->body == plain.body);
    fuzz::require((*again)->method == plain.method && (*again)->target == plain.target);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const auto bytes = fuzz::view(data, size).subspan(1);
    // Above one message's limit, feeding all at once may be refused where small pieces are not.
    if (bytes.size() < gateway_http_limits.body)
        fuzz::require(read(bytes, data[0]) == read(bytes, bytes.size()));
    read(bytes, data[0]);
    read_again(bytes);
    return 0;
}
