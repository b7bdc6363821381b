// Cookies both ways: what a jar took, a request carries, and the gateway finds it again.

#include "causeway/protocol/cookie.h"
#include "causeway/protocol/limits.h"
#include "tests/fuzz/input.h"

#include "causeway/base/text.h"

using namespace causeway;
using namespace causeway::protocol;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = fuzz::text(data, size);
    Headers set;
    for (const auto line : split(text, '\n')) set.add("Set-Cookie", line);
    CookieJar jar;
    jar.take(set);
    const Secret header = jar.header();
    fuzz::require(header.reveal().find_first_of("\r\n") == std::string_view::npos);
    fuzz::require(header.reveal().size() <= cookie_count_limit * (cookie_limit + 4));

    Headers request;
    request.add("Cookie", header.reveal());
    if (const auto cookie = jar.find("webvpn")) {
        const auto found = request_cookie(request, "webvpn");
        fuzz::require(found && found->reveal() == cookie->reveal());
    }
    Headers raw;
    raw.add("Cookie", text);
    (void)request_cookie(raw, "webvpn");
    return 0;
}
