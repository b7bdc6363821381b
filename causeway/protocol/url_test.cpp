#include "causeway/protocol/url.h"

#include "causeway/protocol/test_support.h"

#include <doctest/doctest.h>

#include <initializer_list>
#include <utility>

namespace causeway::protocol {
namespace {

std::string read(std::string_view text) {
    const auto url = Url::parse(text);
    return url ? url->text() : story(url.error());
}

std::string resolve(std::string_view base, std::string_view location) {
    const auto url = Url::parse(base)->resolve(location);
    return url ? url->text() : story(url.error());
}

TEST_CASE("a gateway is named in any of the ways people write it") {
    const std::initializer_list<std::pair<std::string_view, std::string_view>> cases = {
        {"vpn.example.com", "https://vpn.example.com/"},
        {"VPN.Example.com.", "https://vpn.example.com/"},
        {"vpn.example.com:8443", "https://vpn.example.com:8443/"},
        {"vpn.example.com:443", "https://vpn.example.com/"},
        {"https://vpn.example.com:8443/sales", "https://vpn.example.com:8443/sales"},
        {"HTTPS://vpn.example.com?secret", "https://vpn.example.com/?secret"},
        {"vpn.example.com/sales#top", "https://vpn.example.com/sales"},
        {"192.0.2.1", "https://192.0.2.1/"},
        {"192.0.2.1:444", "https://192.0.2.1:444/"},
        {"[2001:db8::1]:444", "https://[2001:db8::1]:444/"},
        {"2001:DB8::1", "https://[2001:db8::1]/"},
        {"vpn_1.local", "https://vpn_1.local/"},
    };
    for (const auto& [text, url] : cases) CHECK(read(text) == url);
}

TEST_CASE("what is no gateway is refused with the reason") {
    const std::initializer_list<std::pair<std::string_view, std::string_view>> cases = {
        {"", "it has no host name"},
        {"https://", "it has no host name"},
        {"http://vpn.example.com", "only https:// is spoken here"},
        {"vpn.example.com:0", "the port “0” is none of 1 to 65535"},
        {"vpn.example.com:65536", "the port “65536” is none of 1 to 65535"},
        {"vpn.example.com:", "the port “” is none of 1 to 65535"},
        {"alice@vpn.example.com", "a user name belongs into --user, not into the URL"},
        {"[2001:db8::1", "“[” without “]”"},
        {"[192.0.2.1]", "no IPv6 address in brackets"},
        {"[::1]x", "only a port may follow “]”"},
        {"192.0.2.256", "four numbers of 0 to 255 make an address"},
        {"vpn.example.com/a b", "a path holds no spaces and nothing beyond ASCII; write %20"},
    };
    for (const auto& [text, why] : cases)
        CHECK(read(text) == "configurationFailed: “" + std::string(text) +
                                "” is no address of a gateway: " + std::string(why));
    CHECK(read("vpn..example.com").starts_with("configurationFailed"));
    CHECK(read("-vpn.example.com").starts_with("configurationFailed"));
    CHECK(read(std::string(64, 'a') + ".com").starts_with("configurationFailed"));
    CHECK(read("vpn.example.com\r\nHost: x").starts_with("configurationFailed"));
}

TEST_CASE("what is read is short enough to be read again, also where it grew") {
    const std::string fits = "vpn.test/" + std::string(2048 - 17, 'a');
    REQUIRE(Url::parse(fits).has_value());
    CHECK(Url::parse(fits)->text().size() == 2048);
    CHECK(read(read(fits)) == read(fits));
    // The scheme is added to what was typed, and a base to what a redirect says.
    CHECK(read(fits + "a").ends_with("it is 2049 characters long, of 2048"));
    CHECK(read(std::string(3000, 'a')).ends_with("it is 3000 characters long, of 2048"));
    CHECK(resolve("vpn.test", std::string(2040, 'a'))
              .ends_with("it is 2057 characters long, of 2048"));
}

TEST_CASE("the path names a group") {
    CHECK(Url::parse("https://vpn.test/sales/")->group() == "sales");
    CHECK(Url::parse("vpn.test")->group() == "");
    CHECK(Url::parse("vpn.test/?secret")->group() == "");
}

TEST_CASE("a redirect leads where RFC 3986 says") {
    const std::initializer_list<std::pair<std::string_view, std::string_view>> cases = {
        {"https://other.test/x", "https://other.test/x"},
        {"//other.test:444", "https://other.test:444/"},
        {"/x", "https://vpn.test/x"},
        {"x", "https://vpn.test/a/x"},
        {"../x?y", "https://vpn.test/x?y"},
        {"/a/./b/../c", "https://vpn.test/a/c"},
        {"/../../x", "https://vpn.test/x"},
        {"?q", "https://vpn.test/a/b?q"},
        {"  /x#f ", "https://vpn.test/x"},
    };
    for (const auto& [location, url] : cases) CHECK(resolve("vpn.test/a/b?c", location) == url);
}

TEST_CASE("a redirect away from https is refused") {
    CHECK(
        resolve("vpn.test", "HTTP://vpn.test/") ==
        "negotiationFailed: “HTTP://vpn.test/” is no address of a gateway: the redirect leads away "
        "from TLS, which is not followed <- errSSLATSViolation: plain HTTP has no TLS at all");
    for (const auto* location : {"ftp://x/", "javascript:alert(1)"})
        CHECK(resolve("vpn.test", location) ==
              "negotiationFailed: “" + std::string(location) +
                  "” is no address of a gateway: the redirect leads away from https, which is not "
                  "followed");
    CHECK(resolve("vpn.test", "").starts_with("negotiationFailed"));
}

}  // namespace
}  // namespace causeway::protocol
