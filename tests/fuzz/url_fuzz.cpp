// URLs: what people type, and what redirects say. A URL that was read is written and read again,
// the same, and never carries a line break into a request.

#include "causeway/protocol/url.h"
#include "tests/fuzz/input.h"

using namespace causeway;
using namespace causeway::protocol;

namespace {

void check(const Url& url) {
    const auto again = Url::parse(url.text());
    fuzz::require(again.has_value() && *again == url);
    fuzz::require(!url.host.empty() && url.port != 0 && url.path.starts_with('/'));
    fuzz::require(url.text().find_first_of("\r\n ") == std::string::npos);
    (void)url.group();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = fuzz::text(data, size);
    const auto url = Url::parse(text);
    if (url) check(*url);
    const Url base{"vpn.test", 444, "/a/b?c"};
    const auto target = base.resolve(text);
    if (target) check(*target);
    return 0;
}
