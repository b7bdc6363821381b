#include "causeway/gateway/datagram_table.h"

#include <doctest/doctest.h>

namespace causeway::gateway {
namespace {

std::shared_ptr<DatagramLink> link(std::string_view name, std::string_view id = {}) {
    DatagramTerms terms;
    terms.name = copy(as_bytes(name));
    terms.connection_id = copy(as_bytes(id));
    return std::make_shared<DatagramLink>(std::move(terms));
}

IpAddress address(std::string_view text) { return *IpAddress::parse(text); }

TEST_CASE("a channel is found by its name and its id until it is removed") {
    DatagramTable table;
    const auto one = link("one", "1111"), other = link("other");
    table.add(one);
    table.add(other);
    CHECK(table.by_name(as_bytes("one")) == one);
    CHECK(table.by_name(as_bytes("other")) == other);
    CHECK(table.by_connection_id(as_bytes("1111")) == one);
    CHECK_FALSE(table.by_name(as_bytes("on")));
    // A client that is not ours has no id, and none is found by an empty one.
    CHECK_FALSE(table.by_connection_id({}));

    table.remove(*one);
    CHECK_FALSE(table.by_name(as_bytes("one")));
    CHECK_FALSE(table.by_connection_id(as_bytes("1111")));
    CHECK(table.size() == 1);
}

TEST_CASE("of the channels of an address only the newest few are handed out, newest first") {
    DatagramTable table;
    std::vector<std::shared_ptr<DatagramLink>> links;
    for (int i = 0; i < 12; ++i) {
        links.push_back(link("name " + std::to_string(i)));
        table.add(links.back());
        table.set_source(links.back(), address("192.0.2.1"));
    }
    const auto neighbour = link("neighbour");
    table.add(neighbour);
    table.set_source(neighbour, address("192.0.2.2"));

    const auto found = table.of_source(address("192.0.2.1"), 8);
    REQUIRE(found.size() == 8);
    for (std::size_t i = 0; i < 8; ++i) CHECK(found[i] == links[11 - i]);
    CHECK(table.of_source(address("192.0.2.3"), 8).empty());
    CHECK(table.of_source(address("192.0.2.2"), 8) == std::vector{neighbour});
}

TEST_CASE("a channel that moves is found at its new address only") {
    DatagramTable table;
    const auto moving = link("moving");
    table.add(moving);
    table.set_source(moving, address("192.0.2.1"));
    table.set_source(moving, address("2001:db8::1"));
    CHECK(table.of_source(address("192.0.2.1"), 8).empty());
    CHECK(table.of_source(address("2001:db8::1"), 8).size() == 1);

    table.remove(*moving);
    CHECK(table.of_source(address("2001:db8::1"), 8).empty());
    table.set_source(moving, address("2001:db8::1"));
    CHECK(table.of_source(address("2001:db8::1"), 8).empty());
}

TEST_CASE("a channel counts what it carried and when it was used") {
    const auto counted = link("counted");
    CHECK(counted->used() == Instant{});
    const auto now = Clock::now();
    counted->add({1, 100, 2, 200}, now);
    counted->add({1, 100, 0, 0}, now);
    CHECK(counted->traffic().packets_in == 2);
    CHECK(counted->traffic().bytes_in == 200);
    CHECK(counted->traffic().bytes_out == 200);
    CHECK(counted->used() == now);
    datapath::Drops drops;
    drops.add(datapath::Drop::record_forged, 3);
    counted->add_dropped_from_client(drops);
    CHECK(counted->dropped_from_client() == drops);
    CHECK(counted->dropped_for_client().total() == 0);
}

TEST_CASE("the place of a channel is forgotten only by the one that has it") {
    const auto shared = link("shared");
    CHECK_FALSE(shared->set_association(Place{0, 1}));
    CHECK(shared->set_association(Place{1, 2}) == Place{0, 1});
    shared->forget_association({0, 1});
    CHECK(shared->association() == Place{1, 2});
    shared->forget_association({1, 2});
    CHECK_FALSE(shared->association());
}

}  // namespace
}  // namespace causeway::gateway
