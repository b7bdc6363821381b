#include "causeway/provider/reconnect.h"

#include <doctest/doctest.h>

namespace causeway::provider {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const ReconnectPolicy policy;

Loss loss_by(Code code) { return {.why = {code, "the connection broke"}}; }

Error refused() {
    return Error{Vpn::serverNotResponding, "refused"}.because(
        {Tls::errSSLConnectionRefused, "nobody listens"});
}

Error cookie_refused() {
    return Error{Vpn::authenticationFailed, "Cookie is not acceptable"}.with("reauthenticate",
                                                                             "yes");
}

const Error* reason(const ReconnectMove& move) {
    const auto* end = std::get_if<GiveUp>(&move);
    return end ? &end->why : nullptr;
}

}  // namespace

TEST_CASE("pauses double from one second to thirty") {
    CHECK(pause_before(1, policy) == milliseconds(0));
    CHECK(pause_before(2, policy) == seconds(1));
    CHECK(pause_before(3, policy) == seconds(2));
    CHECK(pause_before(6, policy) == seconds(16));
    CHECK(pause_before(7, policy) == seconds(30));
    CHECK(pause_before(100, policy) == seconds(30));
}

TEST_CASE("a broken channel and a silent gateway are losses, the gateway's own word is none") {
    CHECK(is_loss({Tls::errSSLTransportReset, ""}));
    CHECK(is_loss({Vpn::serverDead, ""}));
    CHECK_FALSE(is_loss({Vpn::serverDisconnected, ""}));
    CHECK_FALSE(is_loss({Vpn::configurationFailed, ""}));
}

TEST_CASE("the first attempt follows a loss at once") {
    const auto move = after_loss(loss_by(Tls::errSSLTransportReset), policy);
    REQUIRE(std::holds_alternative<TryAgain>(move));
    CHECK(std::get<TryAgain>(move).pause == milliseconds(0));
}

TEST_CASE("with --once a silent gateway is the end, and a broken channel is asked about") {
    auto silent = loss_by(Vpn::serverDead);
    silent.why = std::move(silent.why).because({Tls::errSSLNetworkTimeout, "nothing came"});
    silent.once = true;
    REQUIRE(reason(after_loss(silent, policy)));
    auto broken = loss_by(Tls::errSSLClosedNoNotify);
    broken.why = as_end_of_session(std::move(broken.why));
    broken.once = true;
    CHECK(broken.why.code == Code(Vpn::serverDead));
    CHECK(std::holds_alternative<TryAgain>(after_loss(broken, policy)));
}

TEST_CASE("attempts go on until five minutes are over, then the gateway is dead") {
    auto loss = loss_by(Tls::errSSLTransportReset);
    loss.attempts = 12;
    loss.elapsed = seconds(200);
    CHECK(std::holds_alternative<TryAgain>(after_attempt(loss, refused(), policy)));
    loss.elapsed = seconds(271);
    const auto move = after_attempt(loss, refused(), policy);
    REQUIRE(reason(move));
    CHECK(reason(move)->code == Code(Vpn::serverDead));
    CHECK(reason(move)->find(Code(Tls::errSSLConnectionRefused)) != nullptr);
}

TEST_CASE("no network to the end stays no network") {
    auto loss = loss_by(Tls::errSSLTransportReset);
    loss.attempts = 12;
    loss.elapsed = seconds(299);
    const auto move = after_attempt(loss, {Vpn::noNetworkAvailable, "no route"}, policy);
    REQUIRE(reason(move));
    CHECK(reason(move)->code == Code(Vpn::noNetworkAvailable));
}

TEST_CASE("a refused cookie means a login when the answers are at hand, else the end") {
    auto loss = loss_by(Tls::errSSLTransportReset);
    loss.can_log_in = true;
    CHECK(std::holds_alternative<LogInAgain>(after_attempt(loss, cookie_refused(), policy)));
    loss.can_log_in = false;
    const auto move = after_attempt(loss, cookie_refused(), policy);
    REQUIRE(reason(move));
    CHECK(reason(move)->code == Code(Vpn::serverDisconnected));
    CHECK(reason(move)->fact("reauthenticate") == "yes");
}

TEST_CASE("a session refused from a new address is lost to the change of network") {
    auto loss = loss_by(Tls::errSSLTransportReset);
    loss.address_gone = true;
    const auto move = after_attempt(loss, cookie_refused(), policy);
    REQUIRE(reason(move));
    CHECK(reason(move)->code == Code(Vpn::unrecoverableNetworkChange));
}

TEST_CASE("a route into the tunnel itself is waited out, and told when it stays") {
    const Error looped{Vpn::unrecoverableNetworkChange, "the route leads into the tunnel itself"};
    CHECK(is_loss(looped));
    auto loss = loss_by(Tls::errSSLTransportReset);
    CHECK(std::holds_alternative<TryAgain>(after_attempt(loss, looped, policy)));
    loss.elapsed = policy.limit + std::chrono::milliseconds(1);
    const auto move = after_attempt(loss, looped, policy);
    REQUIRE(reason(move));
    CHECK(reason(move)->code == Code(Vpn::unrecoverableNetworkChange));
}

TEST_CASE("what no second attempt can mend ends it with its own code") {
    const auto move = after_attempt(loss_by(Tls::errSSLTransportReset),
                                    {Vpn::serverCertificateExpired, "expired"}, policy);
    REQUIRE(reason(move));
    CHECK(reason(move)->code == Code(Vpn::serverCertificateExpired));
}

}  // namespace causeway::provider
