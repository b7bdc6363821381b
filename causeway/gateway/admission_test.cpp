#include "causeway/gateway/admission.h"

#include "causeway/gateway/reasons.h"
#include "causeway/gateway/session_table.h"

#include <doctest/doctest.h>

#include <string>

namespace causeway::gateway {
namespace {

using namespace std::chrono_literals;

const Instant start{1000h};
const BanRule three_in_a_minute{.failures = 3, .window = 60s, .duration = 600s};

IpAddress address(std::string_view text) { return *IpAddress::parse(text); }

TEST_CASE("failures within the window end in a ban for a time, and the words say how long") {
    Admission admission(three_in_a_minute, {});
    const auto from = address("192.0.2.7");
    CHECK_FALSE(admission.failed(from, start));
    CHECK_FALSE(admission.failed(from, start + 10s));
    CHECK(admission.not_banned(from, start + 20s));
    const auto ban = admission.failed(from, start + 20s);
    REQUIRE(ban);
    CHECK(ban->failures == 3);
    CHECK(ban->until == start + 620s);

    const auto refused = admission.not_banned(from, start + 30s);
    REQUIRE_FALSE(refused);
    CHECK(reason_of(refused.error())->reason == Reason::banned);
    CHECK(refused.error().detail ==
          "Too many failed logins from this address: try again in 9 minutes 50 seconds");
    CHECK(refused.error().fact("seconds_left") == "590");
    CHECK(admission.not_banned(address("192.0.2.8"), start + 30s));
    CHECK(admission.not_banned(from, start + 620s));
}

TEST_CASE("failures that are further apart than the window do not add up") {
    Admission admission(three_in_a_minute, {});
    for (int i = 0; i < 20; ++i)
        CHECK_FALSE(admission.failed(address("192.0.2.7"), start + i * 31s));
}

TEST_CASE("a good login does away with the failures before it") {
    Admission admission(three_in_a_minute, {});
    const auto from = address("192.0.2.7");
    admission.failed(from, start);
    admission.failed(from, start);
    admission.succeeded(from);
    CHECK_FALSE(admission.failed(from, start));
    CHECK_FALSE(admission.failed(from, start));
    CHECK(admission.failed(from, start));
    admission.succeeded(from);
    CHECK_FALSE(admission.not_banned(from, start));
}

TEST_CASE("IPv6 counts by /64, and IPv4 inside IPv6 as IPv4") {
    Admission admission(three_in_a_minute, {});
    admission.failed(address("2001:db8::1"), start);
    admission.failed(address("2001:db8::2"), start);
    const auto ban = admission.failed(address("2001:db8:0:0:ffff::3"), start);
    REQUIRE(ban);
    CHECK(ban->from.text() == "2001:db8::/64");
    CHECK_FALSE(admission.not_banned(address("2001:db8::99"), start));
    CHECK(admission.not_banned(address("2001:db8:0:1::1"), start));
    CHECK(origin_of(address("::ffff:192.0.2.7")).text() == "192.0.2.7/32");
}

TEST_CASE("bans are listed, the longest first, and can be lifted") {
    Admission admission({.failures = 1, .window = 60s, .duration = 600s}, {});
    admission.failed(address("192.0.2.1"), start);
    admission.failed(address("192.0.2.2"), start + 5s);
    const auto bans = admission.bans(start + 6s);
    REQUIRE(bans.size() == 2);
    CHECK(bans[0].from.text() == "192.0.2.2/32");
    CHECK(admission.unban(address("192.0.2.2"), start + 6s));
    CHECK_FALSE(admission.unban(address("192.0.2.2"), start + 6s));
    CHECK(admission.not_banned(address("192.0.2.2"), start + 6s));
    CHECK(admission.bans(start + 6s).size() == 1);
    CHECK(admission.bans(start + 700s).empty());
}

TEST_CASE("no rule, no ban") {
    Admission admission({.failures = 0}, {});
    for (int i = 0; i < 100; ++i) CHECK_FALSE(admission.failed(address("192.0.2.1"), start));
}

TEST_CASE("an address has so many connections at once and no more") {
    Admission admission(three_in_a_minute, {.sessions = 0, .connections_per_address = 2});
    const auto from = address("192.0.2.7");
    CHECK(admission.connection_opened(from));
    CHECK(admission.connection_opened(from));
    const auto refused = admission.connection_opened(from);
    REQUIRE_FALSE(refused);
    CHECK(reason_of(refused.error())->reason == Reason::connections_of_address);
    CHECK(admission.connection_opened(address("192.0.2.8")));
    admission.connection_closed(from);
    CHECK(admission.connection_opened(from));
    for (int i = 0; i < 5; ++i) admission.connection_closed(from);
    admission.connection_closed(address("192.0.2.8"));
    CHECK(admission.remembered() == 0);
}

TEST_CASE("however many addresses fail, memory is bounded and bans outlive single failures") {
    Admission admission(three_in_a_minute, {});
    const auto culprit = address("192.0.2.7");
    for (int i = 0; i < 3; ++i) admission.failed(culprit, start);
    for (std::uint32_t i = 0; i < 200'000; ++i)
        admission.failed(IpAddress::v4(0x0a000000 + i), start + std::chrono::microseconds(i));
    CHECK(admission.remembered() <= 65'536);
    CHECK_FALSE(admission.not_banned(culprit, start + 1s));
}

TEST_CASE("limits count sessions of a user, of a group and of all") {
    SessionTable table(300s);
    Group group;
    group.name = "staff";
    group.sessions_per_user = 2;
    group.sessions = 3;
    const Limits limits{.sessions = 4, .connections_per_address = 0};
    std::uint32_t next = 0x0a630002;
    const auto come = [&](const std::string& user, const std::string& group_name) {
        const auto opened = table.open(
            {.user = user, .group = 0, .group_name = group_name, .client = {}, .agent = {}}, 0s,
            start, {});
        table.set_addresses(opened.number, IpAddress::v4(next++), std::nullopt);
    };
    const auto verdict = [&](const std::string& user) {
        const auto admitted = admit_session(table, limits, group, user);
        return admitted ? "admitted" : std::string(reason_of(admitted.error())->name);
    };
    come("alice", "staff");
    CHECK(verdict("alice") == "admitted");
    come("alice", "staff");
    CHECK(verdict("alice") == "sessions-of-user");
    CHECK(verdict("bob") == "admitted");
    come("bob", "staff");
    CHECK(verdict("carol") == "sessions-of-group");
    group.sessions = 0;
    come("dave", "guests");
    CHECK(verdict("carol") == "sessions-in-all");
}

}  // namespace
}  // namespace causeway::gateway
