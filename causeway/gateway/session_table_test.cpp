#include "causeway/gateway/session_table.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace causeway::gateway {
namespace {

using namespace std::chrono_literals;

const Instant start{1000h};
const WallTime date{};
const auto inner4 = *IpAddress::parse("10.99.0.2");
const auto inner6 = *IpAddress::parse("fd00::2");
const Transport first{0, 1, *Endpoint::parse("192.0.2.7:1000")};
const Transport second{1, 5, *Endpoint::parse("[2001:db8::1]:2000")};

SessionTable::Opened log_in(SessionTable& table, const std::string& user = "alice",
                            std::chrono::seconds lasts = 0s) {
    return table.open(
        {.user = user, .group = 0, .group_name = "staff", .client = first.client, .agent = "test"},
        lasts, start, date);
}

std::string reason_for(const SessionTable& table, std::string_view cookie, Instant now) {
    const auto found = table.find_by_cookie(cookie, now);
    return found ? "found" : std::string(reason_of(found.error())->name);
}

TEST_CASE("a session is found by its cookie, and by no other") {
    SessionTable table(300s);
    const auto one = log_in(table);
    const auto two = log_in(table);
    CHECK(one.cookie.reveal().size() == 44);
    CHECK(one.cookie.reveal() != two.cookie.reveal());
    CHECK(*table.find_by_cookie(one.cookie.reveal(), start) == one.number);
    CHECK(*table.find_by_cookie(two.cookie.reveal(), start) == two.number);

    // The right first half with a wrong second one is worth nothing.
    std::string forged(one.cookie.reveal());
    forged.replace(24, 18, two.cookie.reveal().substr(24, 18));
    CHECK(reason_for(table, forged, start) == "cookie-unknown");
    for (const std::string& text : {std::string(), std::string("not base64!"),
                                    std::string(100'000, 'A'), std::string("AAAA")})
        CHECK(reason_for(table, text, start) == "cookie-malformed");
}

TEST_CASE("a session that nobody connects to ends with its cookie") {
    SessionTable table(300s);
    const auto opened = log_in(table);
    CHECK(*table.deadline() == start + 300s);
    CHECK(table.advance(start + 299s).empty());
    CHECK(reason_for(table, opened.cookie.reveal(), start + 300s) == "cookie-expired");
    const auto ended = table.advance(start + 300s);
    REQUIRE(ended.size() == 1);
    CHECK(ended[0].session.number == opened.number);
    CHECK(ended[0].reason == Reason::disconnected_timeout);
    CHECK(table.size() == 0);
    CHECK_FALSE(table.deadline());
}

TEST_CASE("a connected session stays as long as it likes, and can be resumed after a loss") {
    SessionTable table(300s);
    const auto opened = log_in(table);
    table.set_addresses(opened.number, inner4, inner6);
    CHECK_FALSE(table.attach(opened.number, first));
    CHECK_FALSE(table.deadline());
    CHECK(table.advance(start + 1000h).empty());

    table.detach(opened.number, first, start + 1000h);
    CHECK(*table.deadline() == start + 1000h + 300s);
    CHECK(*table.find_by_cookie(opened.cookie.reveal(), start + 1000h + 299s) == opened.number);
    CHECK_FALSE(table.attach(opened.number, second));
    CHECK_FALSE(table.deadline());
    const Session* session = table.find(opened.number);
    CHECK(session->address4 == inner4);
    CHECK(session->address6 == inner6);
    CHECK(session->client == second.client);
    CHECK(session->connects == 2);
}

TEST_CASE("a take-over hands back the old transport, whose end then changes nothing") {
    SessionTable table(300s);
    const auto opened = log_in(table);
    table.attach(opened.number, first);
    CHECK(table.attach(opened.number, second) == first);
    table.detach(opened.number, first, start + 1s);
    CHECK(table.find(opened.number)->transport == second);
    table.detach(opened.number, second, start + 2s);
    CHECK_FALSE(table.find(opened.number)->transport);
}

TEST_CASE("a session ends when its time is up, connected or not") {
    SessionTable table(300s);
    const auto opened = log_in(table, "alice", 3600s);
    table.attach(opened.number, first);
    CHECK(*table.deadline() == start + 3600s);
    const auto ended = table.advance(start + 3600s);
    REQUIRE(ended.size() == 1);
    CHECK(ended[0].reason == Reason::session_timeout);
    CHECK(ended[0].session.transport == first);
}

TEST_CASE("whoever comes back with the cookie of an ended session is told why it ended") {
    SessionTable table(300s);
    const auto opened = log_in(table);
    REQUIRE(table.end(opened.number, Reason::administrator, start + 10s));
    const auto refused = table.find_by_cookie(opened.cookie.reveal(), start + 20s);
    REQUIRE_FALSE(refused);
    CHECK(reason_of(refused.error())->reason == Reason::cookie_expired);
    CHECK(refused.error().fact("ended_because") == "administrator");
    CHECK(refused.error().detail ==
          "The session has expired; log in again: An administrator ended the session");
    CHECK(reason_for(table, opened.cookie.reveal(), start + 310s) == "cookie-unknown");
}

TEST_CASE("only sessions that hold an address count against the limits") {
    SessionTable table(300s);
    const auto one = log_in(table);
    const auto two = log_in(table);
    log_in(table, "bob");
    CHECK(table.size() == 3);
    CHECK(table.up() == 0);
    table.set_addresses(one.number, inner4, std::nullopt);
    table.set_addresses(two.number, std::nullopt, inner6);
    CHECK(table.up() == 2);
    CHECK(table.up_of_user("alice") == 2);
    CHECK(table.up_of_user("bob") == 0);
    CHECK(table.up_of_group("staff") == 2);
    CHECK(table.find_by_address(inner6)->number == two.number);

    table.end(two.number, Reason::idle, start);
    CHECK(table.up_of_user("alice") == 1);
    CHECK_FALSE(table.find_by_address(inner6));
    CHECK(table.of_user("alice").size() == 1);
    CHECK(table.all().size() == 2);
}

TEST_CASE("the reasons of ended sessions take bounded memory") {
    SessionTable table(300s);
    const auto oldest = log_in(table);
    table.end(oldest.number, Reason::idle, start);
    std::vector<SessionTable::Opened> others;
    for (int i = 0; i < 10'000; ++i) {
        others.push_back(log_in(table));
        table.end(others.back().number, Reason::idle, start);
    }
    CHECK(reason_for(table, oldest.cookie.reveal(), start) == "cookie-unknown");
    CHECK(reason_for(table, others.back().cookie.reveal(), start) == "cookie-expired");
}

TEST_CASE("traffic of several transports adds up") {
    SessionTable table(300s);
    const auto opened = log_in(table);
    table.add(opened.number, {1, 100, 2, 200});
    table.add(opened.number, {3, 300, 4, 400});
    const Traffic traffic = table.find(opened.number)->traffic;
    CHECK(traffic.packets_in == 4);
    CHECK(traffic.bytes_out == 600);
    table.add(999, {1, 1, 1, 1});
}

}  // namespace
}  // namespace causeway::gateway
