#include "causeway/protocol/cookie.h"

#include <doctest/doctest.h>

#include <string>

namespace causeway::protocol {
namespace {

Headers set(std::initializer_list<std::string_view> lines) {
    Headers headers;
    for (const auto line : lines) headers.add("Set-Cookie", line);
    return headers;
}

TEST_CASE("cookies are kept, replaced and removed as the server says") {
    CookieJar jar;
    jar.take(set({"a=1; Secure; HttpOnly", "b=x==; path=/"}));
    CHECK(jar.header().reveal() == "a=1; b=x==");
    jar.take(set({"a=2", "b=; expires=Thu, 01 Jan 1970 22:00:00 GMT", "c=3; max-age=0"}));
    CHECK(jar.header().reveal() == "a=2");
    CHECK(jar.find("a")->reveal() == "2");
    CHECK_FALSE(jar.find("b"));
}

TEST_CASE("a cookie cannot smuggle anything into a request") {
    CookieJar jar;
    jar.take(set({"a=1 2", "b=\x01", "=x", "novalue", "c=" + std::string(5000, 'x')}));
    CHECK(jar.empty());
}

TEST_CASE("a jar takes only so many cookies") {
    CookieJar jar;
    for (int i = 0; i < 100; ++i) jar.set("n" + std::to_string(i), Secret("v"));
    CHECK(jar.find("n31"));
    CHECK_FALSE(jar.find("n32"));
}

TEST_CASE("a request's cookie is found among others") {
    Headers headers;
    headers.add("Cookie", "webvpncontext=abc=; webvpn=AOVb+9k=");
    CHECK(request_cookie(headers, "webvpn")->reveal() == "AOVb+9k=");
    CHECK(request_cookie(headers, "webvpncontext")->reveal() == "abc=");
    CHECK_FALSE(request_cookie(headers, "web"));
}

}  // namespace
}  // namespace causeway::protocol
