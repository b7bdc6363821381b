#include "causeway/device/address_range.h"

#include <doctest/doctest.h>

#include <string>

namespace causeway::device {
namespace {

std::string ranges(std::initializer_list<const char*> texts, Family family = Family::ipv4) {
    std::vector<Prefix> prefixes;
    for (const auto* text : texts) prefixes.push_back(*Prefix::parse(text));
    std::string story;
    for (const auto& [first, end] : ranges_of(prefixes, family))
        story += (story.empty() ? "" : ", ") + first.text() + "-" + (end ? end->text() : "");
    return story;
}

TEST_CASE("a prefix is the range from its first address to the one behind its last") {
    CHECK(ranges({"10.1.2.3/32"}) == "10.1.2.3-10.1.2.4");
    CHECK(ranges({"10.1.2.3/24"}) == "10.1.2.0-10.1.3.0");
    CHECK(ranges({"10.0.0.0/9"}) == "10.0.0.0-10.128.0.0");
    CHECK(ranges({"10.255.255.255/32"}) == "10.255.255.255-11.0.0.0");
    CHECK(ranges({"fd00::/8", "2001:db8::/33"}, Family::ipv6) ==
          "2001:db8::-2001:db8:8000::, fd00::-fe00::");
}

TEST_CASE("behind the last address of all is nothing") {
    CHECK(ranges({"0.0.0.0/0"}) == "0.0.0.0-");
    CHECK(ranges({"128.0.0.0/1"}) == "128.0.0.0-");
    CHECK(ranges({"ff00::/8"}, Family::ipv6) == "ff00::-");
}

TEST_CASE("ranges that overlap or touch become one, in any order") {
    CHECK(ranges({"10.0.1.0/24", "10.0.0.0/24", "192.168.0.0/16", "192.168.7.0/24"}) ==
          "10.0.0.0-10.0.2.0, 192.168.0.0-192.169.0.0");
    CHECK(ranges({"224.0.0.0/3", "255.0.0.0/8"}) == "224.0.0.0-");
}

TEST_CASE("prefixes of the other family do not count") {
    CHECK(ranges({"10.0.0.0/8", "fd00::/8"}, Family::ipv4) == "10.0.0.0-11.0.0.0");
    CHECK(ranges({"10.0.0.0/8"}, Family::ipv6).empty());
}

}  // namespace
}  // namespace causeway::device
