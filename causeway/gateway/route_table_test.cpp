#include "causeway/gateway/route_table.h"

#include <doctest/doctest.h>

#include <array>
#include <vector>

namespace causeway::gateway {
namespace {

IpAddress address(std::string_view text) { return *IpAddress::parse(text); }

std::optional<Place> find_one(const RouteTable& table, std::string_view text) {
    const std::array wanted{address(text)};
    std::array<std::optional<Place>, 1> places;
    table.find(wanted, places);
    return places[0];
}

TEST_CASE("packets for an address go where its last transport is") {
    RouteTable table;
    table.set(address("10.9.0.2"), {0, 7});
    table.set(address("fd00::2"), {1, 8});
    CHECK(find_one(table, "10.9.0.2") == Place{0, 7});
    CHECK(find_one(table, "fd00::2") == Place{1, 8});
    CHECK_FALSE(find_one(table, "10.9.0.3").has_value());

    table.set(address("10.9.0.2"), {1, 9});
    CHECK(find_one(table, "10.9.0.2") == Place{1, 9});
}

TEST_CASE("a transport that was replaced does not take its successor's route away") {
    RouteTable table;
    table.set(address("10.9.0.2"), {0, 7});
    table.set(address("10.9.0.2"), {0, 8});
    table.remove(address("10.9.0.2"), {0, 7});
    CHECK(find_one(table, "10.9.0.2") == Place{0, 8});

    table.remove(address("10.9.0.2"), {0, 8});
    CHECK_FALSE(find_one(table, "10.9.0.2").has_value());
    CHECK(table.size() == 0);
}

TEST_CASE("packets go by datagram while their own transport has the address, and back again") {
    RouteTable table;
    table.set(address("10.9.0.2"), {0, 7});
    CHECK(table.divert(address("10.9.0.2"), {0, 7}, {1, 70}));
    CHECK(find_one(table, "10.9.0.2") == Place{1, 70});
    table.restore(address("10.9.0.2"), {1, 71});
    CHECK(find_one(table, "10.9.0.2") == Place{1, 70});
    table.restore(address("10.9.0.2"), {1, 70});
    CHECK(find_one(table, "10.9.0.2") == Place{0, 7});

    CHECK(table.divert(address("10.9.0.2"), {0, 7}, {1, 70}));
    table.set(address("10.9.0.2"), {0, 8});
    CHECK(find_one(table, "10.9.0.2") == Place{0, 8});
    CHECK_FALSE(table.divert(address("10.9.0.2"), {0, 7}, {1, 70}));
    CHECK_FALSE(table.divert(address("10.9.0.3"), {0, 7}, {1, 70}));
    table.divert(address("10.9.0.2"), {0, 8}, {1, 80});
    table.remove(address("10.9.0.2"), {0, 8});
    CHECK_FALSE(find_one(table, "10.9.0.2"));
}

TEST_CASE("a batch is answered in its order") {
    RouteTable table;
    for (std::uint32_t i = 0; i < 100; ++i) table.set(IpAddress::v4(0x0a000000 + i), {0, i});
    std::vector<IpAddress> wanted;
    for (std::uint32_t i = 101; i-- > 0;) wanted.push_back(IpAddress::v4(0x0a000000 + i));
    std::vector<std::optional<Place>> places(wanted.size());
    table.find(wanted, places);
    CHECK_FALSE(places[0].has_value());
    for (std::uint32_t i = 1; i < 101; ++i) CHECK(places[i] == Place{0, 100 - i});
}

}  // namespace
}  // namespace causeway::gateway
