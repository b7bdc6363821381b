// Responses from a server that may be anything: however they are cut, they mean the same; an end
// at any place is either a response or a failure.

#include "causeway/protocol/http_reader.h"
#include "tests/fuzz/input.h"

#include <string>

using namespace causeway;
using namespace causeway::protocol;

namespace {

std::string read(ByteView bytes, std::size_t step, bool tunnel) {
    HttpResponseReader reader;
    if (tunnel) reader.expect_tunnel();
    std::string all;
    bool failed = false;
    const auto take = [&](const Result<std::optional<HttpResponse>>& response) {
        if (!response) failed = true;
        if (!response || !*response) return false;
        fuzz::require((*response)->status >= 200 && (*response)->status <= 599);
        fuzz::require((*response)->body.size() <= client_http_limits.body);
        all += std::to_string((*response)->status) + (*response)->reason + (*response)->body + "\n";
        return true;
    };
    fuzz::in_pieces(bytes, step, [&](ByteView piece) {
        if (failed) return;
        reader.feed(piece);
        while (!failed && take(reader.next())) {
        }
    });
    if (!failed) take(reader.finish());
    return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const auto bytes = fuzz::view(data, size).subspan(1);
    for (const bool tunnel : {false, true})
        fuzz::require(read(bytes, data[0], tunnel) == read(bytes, bytes.size(), tunnel));
    return 0;
}
