#include "causeway/gateway/registry.h"

#include <doctest/doctest.h>

#include <array>
#include <memory>
#include <string>

namespace causeway::gateway {
namespace {

const Instant start = Instant() + std::chrono::hours(1);
const Endpoint alices_home = *Endpoint::parse("192.0.2.7:50000");

Config config() {
    Config config;
    config.pools = {Pool{*Prefix::parse("10.9.0.0/29"), *IpAddress::parse("10.9.0.1"),
                         *IpAddress::parse("10.9.0.2"), *IpAddress::parse("10.9.0.3")}};
    Group staff;
    staff.name = "staff";
    staff.pool4 = 0;
    Group admins = staff;
    admins.name = "admins";
    config.groups = {staff, admins};
    config.session.cookie_timeout = std::chrono::seconds(100);
    config.ban = {2, std::chrono::seconds(60), std::chrono::seconds(60)};
    return config;
}

std::shared_ptr<const Serving> serving(Config with) {
    Serving serving;
    serving.config = std::make_shared<const Config>(std::move(with));
    return std::make_shared<const Serving>(std::move(serving));
}

std::unique_ptr<IncidentLog> log() {
    LogSettings settings;
    settings.target = LogSettings::Target::file;
    settings.file = "/dev/null";
    return std::move(*IncidentLog::open(settings));
}

struct Fixture {
    explicit Fixture(Config with = config()) : registry(serving(std::move(with)), log()) {}

    Result<Registry::Admitted> admit(const std::string& user, const std::string& group = "",
                                     const std::vector<std::string>& groups = {}) {
        return registry.admit(user, group, groups, alices_home, "a client", start);
    }
    Result<Grant> connect(const Secret& cookie, std::uint64_t connection,
                          std::chrono::seconds later = {}) {
        protocol::ConnectRequest request;
        request.cookie = cookie;
        return registry.connect(request, {0, connection, alices_home}, start + later);
    }
    std::optional<Place> route(std::string_view address) {
        const std::array wanted{*IpAddress::parse(address)};
        std::array<std::optional<Place>, 1> places;
        registry.routes().find(wanted, places);
        return places[0];
    }

    Registry registry;
};

std::string reason_name(const Error& error) {
    const auto* reason = reason_of(error);
    return reason == nullptr ? "none" : std::string(reason->name);
}

TEST_CASE("a session gets an address with its first CONNECT and keeps it for every other") {
    Fixture gateway;
    const auto admitted = gateway.admit("alice");
    REQUIRE(admitted.has_value());
    const auto first = gateway.connect(admitted->cookie, 1);
    REQUIRE(first.has_value());
    CHECK_FALSE(first->resumed);
    REQUIRE(first->address4.has_value());
    CHECK(first->address4->length == 29);
    const auto address = first->address4->address.text();
    CHECK(gateway.route(address) == Place{0, 1});

    gateway.registry.detach(first->session, {0, 1, alices_home}, {}, start);
    CHECK_FALSE(gateway.route(address).has_value());
    const auto second = gateway.connect(admitted->cookie, 2, std::chrono::seconds(50));
    REQUIRE(second.has_value());
    CHECK(second->resumed);
    CHECK(second->address4 == first->address4);
    CHECK_FALSE(second->replaced.has_value());
    CHECK(gateway.route(address) == Place{0, 2});
}

TEST_CASE("a CONNECT takes the session over from the connection that had it") {
    Fixture gateway;
    const auto admitted = gateway.admit("alice");
    const auto first = gateway.connect(admitted->cookie, 1);
    const auto second = gateway.connect(admitted->cookie, 2);
    REQUIRE(second.has_value());
    REQUIRE(second->replaced.has_value());
    CHECK(second->replaced->connection == 1);

    // The loser notices that its connection is gone: that changes nothing any more.
    CHECK_FALSE(gateway.registry.detach(first->session, {0, 1, alices_home}, {}, start));
    CHECK(gateway.route(second->address4->address.text()) == Place{0, 2});
    CHECK_FALSE(gateway.registry
                    .end(first->session, Reason::user_ended, start, Transport{0, 1, alices_home})
                    .has_value());
    CHECK(gateway.registry.session(first->session).has_value());
}

TEST_CASE("a session that ended gives its address back and its cookie opens nothing") {
    Fixture gateway;
    const auto admitted = gateway.admit("alice");
    const auto grant = gateway.connect(admitted->cookie, 1);
    const auto address = grant->address4->address.text();
    REQUIRE(gateway.registry.end(grant->session, Reason::administrator, start).has_value());
    CHECK_FALSE(gateway.route(address).has_value());
    CHECK_FALSE(gateway.connect(admitted->cookie, 2).has_value());
    CHECK(gateway.registry.sessions().empty());
}

TEST_CASE("a session that nobody comes back for ends with its cookie") {
    Fixture gateway;
    const auto admitted = gateway.admit("alice");
    const auto grant = gateway.connect(admitted->cookie, 1);
    gateway.registry.detach(grant->session, {0, 1, alices_home}, {}, start);
    CHECK(gateway.registry.advance(start + std::chrono::seconds(99)).empty());
    const auto ended = gateway.registry.advance(start + std::chrono::seconds(101));
    REQUIRE(ended.size() == 1);
    CHECK(ended[0].reason == Reason::disconnected_timeout);
    CHECK(gateway.registry.sessions().empty());
}

TEST_CASE("an empty pool refuses the next session and says so") {
    Fixture gateway;
    for (std::uint64_t i = 1; i <= 2; ++i) {
        const auto admitted = gateway.admit("user" + std::to_string(i));
        REQUIRE(gateway.connect(admitted->cookie, i).has_value());
    }
    const auto third = gateway.admit("user3");
    const auto refused = gateway.connect(third->cookie, 3);
    REQUIRE_FALSE(refused.has_value());
    CHECK(reason_name(refused.error()) == "pool-empty");
    CHECK(refused.error().fact("user") == "user3");
}

TEST_CASE("a user gets the group that was asked for, if it is his") {
    Fixture gateway;
    CHECK(gateway.admit("alice").has_value());
    CHECK(gateway.admit("alice", "admins", {"staff", "admins"}).has_value());
    CHECK(reason_name(gateway.admit("alice", "admins", {"staff"}).error()) == "group-not-allowed");
    CHECK(reason_name(gateway.admit("alice", "admins").error()) == "group-not-allowed");
    CHECK(reason_name(gateway.admit("alice", "sales", {"sales"}).error()) == "group-unknown");
    const auto sessions = gateway.registry.sessions();
    REQUIRE(sessions.size() == 2);
    CHECK(sessions[0].group_name == "staff");
    CHECK(sessions[1].group_name == "admins");
}

TEST_CASE("failed logins end in a ban of the address") {
    Fixture gateway;
    const Party party{alices_home, "alice", "", 0};
    for (int i = 0; i < 2; ++i) {
        CHECK(gateway.registry.not_banned(alices_home.address, start).has_value());
        gateway.registry.record(refusal(Reason::wrong_password), Phase::authenticate, party, start);
    }
    const auto banned = gateway.registry.not_banned(alices_home.address, start);
    REQUIRE_FALSE(banned.has_value());
    CHECK(reason_name(banned.error()) == "banned");
    CHECK(gateway.registry.unban(alices_home.address, start));
    CHECK(gateway.registry.not_banned(alices_home.address, start).has_value());
}

TEST_CASE("a session whose group a reload took away cannot connect again") {
    Fixture gateway;
    const auto admitted = gateway.admit("alice", "admins", {"admins"});
    Config without = config();
    without.groups.pop_back();
    gateway.registry.change(serving(std::move(without)));
    CHECK(reason_name(gateway.connect(admitted->cookie, 1).error()) == "group-removed");
}

}  // namespace
}  // namespace causeway::gateway
