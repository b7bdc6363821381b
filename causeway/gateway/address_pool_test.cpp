#include "causeway/gateway/address_pool.h"

#include "causeway/gateway/config_reader.h"
#include "causeway/gateway/reasons.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace causeway::gateway {
namespace {

AddressPool pool(std::string_view text) {
    const Family family = text.find(':') == std::string_view::npos ? Family::ipv4 : Family::ipv6;
    return AddressPool(parse_pool(text, family).value());
}

TEST_CASE("a pool leases neither its network, nor its broadcast, nor the gateway's own address") {
    auto small = pool("10.99.0.0/29");
    CHECK(small.size() == 5);
    std::set<std::string> leased;
    for (int i = 0; i < 5; ++i) leased.insert(small.lease("user" + std::to_string(i))->text());
    CHECK(leased ==
          std::set<std::string>{"10.99.0.2", "10.99.0.3", "10.99.0.4", "10.99.0.5", "10.99.0.6"});
    CHECK(small.leased() == 5);
}

TEST_CASE("an exhausted pool says so, with its name and size") {
    auto tiny = pool("10.99.0.0/30");
    REQUIRE(tiny.lease("alice"));
    const auto refused = tiny.lease("bob");
    REQUIRE_FALSE(refused);
    CHECK(reason_of(refused.error())->reason == Reason::pool_empty);
    CHECK(refused.error().fact("pool") == "10.99.0.0/30");
    CHECK(refused.error().fact("addresses") == "1");
}

TEST_CASE("a user who comes back gets the address of before, whatever others did meanwhile") {
    auto leases = pool("10.99.0.0/24");
    const auto before = *leases.lease("alice");
    leases.release(before);
    for (int i = 0; i < 200; ++i) REQUIRE(leases.lease("other" + std::to_string(i)));
    CHECK(*leases.lease("alice") == before);
}

TEST_CASE("the address follows from the name, so it is the same after a restart") {
    for (const char* range : {"10.99.0.0/16", "fd00:99::/64"}) {
        auto one = pool(range);
        auto two = pool(range);
        for (const char* user : {"alice", "bob", "carol"})
            CHECK(*one.lease(user) == *two.lease(user));
    }
}

TEST_CASE("when all are taken or remembered, the one whose user has been away longest goes") {
    auto leases = pool("10.99.0.0/29");
    std::vector<IpAddress> had;
    for (const char* user : {"a", "b", "c", "d", "e"}) had.push_back(*leases.lease(user));
    leases.release(had[3]);
    leases.release(had[1]);
    CHECK(*leases.lease("new") == had[3]);
    CHECK(*leases.lease("b") == had[1]);
    CHECK_FALSE(leases.lease("d"));
}

TEST_CASE("a /64 leases from all over it, each address once") {
    auto large = pool("fd00:99::/64");
    CHECK(large.size() == std::uint64_t{1} << 63);
    std::set<IpAddress> leased;
    for (int i = 0; i < 20'000; ++i) {
        const auto address = large.lease("user" + std::to_string(i));
        REQUIRE(address);
        CHECK(large.pool().network.contains(*address));
        CHECK(leased.insert(*address).second);
    }
    for (const auto& address : leased) large.release(address);
    CHECK(large.leased() == 0);
}

TEST_CASE("one user may have many sessions, each with its own address") {
    auto leases = pool("10.99.0.0/24");
    std::set<IpAddress> leased;
    for (int i = 0; i < 253; ++i) CHECK(leased.insert(*leases.lease("alice")).second);
    CHECK_FALSE(leases.lease("alice"));
}

TEST_CASE("an address can be leased as it was before, once") {
    auto leases = pool("10.99.0.0/24");
    const auto address = *IpAddress::parse("10.99.0.77");
    CHECK(leases.lease_again(address, "alice"));
    CHECK_FALSE(leases.lease_again(address, "alice"));
    CHECK(leases.is_leased(address));
    for (const char* outside : {"10.99.0.0", "10.99.0.1", "10.99.0.255", "10.98.0.77", "fd00::1"})
        CHECK_FALSE(leases.lease_again(*IpAddress::parse(outside), "alice"));
    leases.release(*IpAddress::parse("10.99.0.78"));
    CHECK(leases.leased() == 1);
}

TEST_CASE("however leases come and go, no address is held twice and none is lost") {
    auto leases = pool("10.99.0.0/26");
    std::mt19937 random(7);
    std::vector<IpAddress> held;
    for (int step = 0; step < 20'000; ++step) {
        if (random() % 2 == 0 || held.empty()) {
            const auto address = leases.lease("user" + std::to_string(random() % 90));
            if (!address) {
                CHECK(held.size() == leases.size());
                continue;
            }
            CHECK(std::find(held.begin(), held.end(), *address) == held.end());
            held.push_back(*address);
        } else {
            const auto at = held.begin() + static_cast<std::ptrdiff_t>(random() % held.size());
            leases.release(*at);
            held.erase(at);
        }
        REQUIRE(leases.leased() == held.size());
    }
}

}  // namespace
}  // namespace causeway::gateway
