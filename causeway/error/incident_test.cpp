#include "causeway/error/incident.h"

#include "causeway/error/exit_status.h"

#include <doctest/doctest.h>

#include <cerrno>
#include <set>

using namespace causeway;

TEST_CASE("an incident's id is 16 digits and comes back from them") {
    CHECK(incident_id(0x5f3a9c01d2e4b677) == "5f3a9c01d2e4b677");
    CHECK(incident_id(1) == "0000000000000001");
    CHECK(parse_incident_id("5f3a9c01d2e4b677") == 0x5f3a9c01d2e4b677);
    for (const auto text : {"", "5f3a9c01d2e4b67", "5f3a9c01d2e4b6770", "5f3a9c01d2e4b67g",
                            "-f3a9c01d2e4b677", " 5f3a9c01d2e4b67", "0x5f3a9c01d2e4b6"})
        CHECK_FALSE(parse_incident_id(text));
}

TEST_CASE("incidents of the same moment have different ids") {
    std::set<std::uint64_t> ids;
    for (int count = 0; count < 100; ++count)
        ids.insert(make_incident("", "", Phase::tls, Error{Vpn::serverDead, ""}).id);
    CHECK(ids.size() == 100);
}

TEST_CASE("phases come back from their names") {
    for (int each = 0; each <= static_cast<int>(Phase::disconnect); ++each)
        CHECK(phase_named(name_of(static_cast<Phase>(each))) == static_cast<Phase>(each));
    CHECK(name_of(Phase::datagram) == "datagram");
    CHECK_FALSE(phase_named("Tls"));
}

TEST_CASE("the adviser is the lowest row that is shown as the first code") {
    const auto name = [](const Error& error) { return adviser(error)->name; };
    const auto fact = Error{Code::raw(Domain::system, EPERM), ""};

    CHECK(name(Error{Vpn::serverDead, ""}) == "serverDead");
    CHECK(name(Error{Vpn::configurationFailed, ""}.because(
              Error{Service::VPN_CREATION_DENIED, ""}.because(fact))) == "VPN_CREATION_DENIED");
    CHECK(name(Error{Vpn::serverCertificateInvalid, ""}.because(
              Error{Tls::errSSLXCertChainInvalid, ""}.because(
                  Error{Trust::errSecCertificateRevoked, ""}))) == "errSecCertificateRevoked");
    // Silence in a session is another matter than silence before there was one.
    CHECK(name(Error{Vpn::serverDead, ""}.because(Error{Tls::errSSLNetworkTimeout, ""})) ==
          "serverDead");
    CHECK(adviser(fact) == nullptr);
}

TEST_CASE("every code has its exit status, and 1 is none of them") {
    struct Story {
        Code code;
        int status;
    };
    const Story stories[] = {
        {Vpn::overslept, 101},
        {Vpn::serverCertificateExpired, 119},
        {Service::PERMISSION_DENIED, 31},
        {Service::NOT_SYSTEM_CALLER, 32},
        {Service::PROHIBITED_BY_POLICY, 33},
        {Service::PARAMETER_ERROR, 34},
        {Service::CAPABILITY_NOT_SUPPORTED, 35},
        {Service::VPN_CREATION_DENIED, 36},
        {Service::VPN_ALREADY_EXISTS, 37},
        {Service::INVALID_SOCKET_FD, 38},
        {Service::INVALID_PARAMETER_VALUE, 39},
        {Service::SYSTEM_INTERNAL_ERROR, 40},
        {Tls::errSSLProtocol, 50},
        {Trust::errSecNotTrusted, 50},
        {Code::raw(Domain::system, EPERM), 70},
        {Code::raw(Domain::process, 1), 70},
    };
    for (const auto& [code, status] : stories) CHECK(exit_status(Error{code, ""}) == status);
    for (const Entry& row : catalogue()) CHECK(exit_status(Error{row.code(), ""}) > 2);
}

TEST_CASE("the first code of a chain that has an exit status decides") {
    const auto denied = Error{Service::VPN_CREATION_DENIED, ""};
    CHECK(exit_status(Error{Vpn::configurationFailed, ""}.because(denied)) == 104);
    CHECK(exit_status(Error{Code::raw(Domain::system, EPERM), ""}.because(denied)) == 36);
}

TEST_CASE("an error finds codes, domains and facts along its chain") {
    const auto error = Error{Vpn::serverNotResponding, ""}
                           .with("server", "a")
                           .because(Error{Tls::errSSLConnectionRefused, ""}
                                        .with("server", "b")
                                        .with("port", "443")
                                        .because(system_error(ECONNREFUSED, "connect")));
    CHECK(error.find(Tls::errSSLConnectionRefused) == error.cause.get());
    CHECK(error.find(Domain::system)->code.number() == ECONNREFUSED);
    CHECK(error.find(Vpn::serverDead) == nullptr);
    CHECK(error.find(Domain::http) == nullptr);
    CHECK(error.fact("server") == "a");
    CHECK(error.fact("port") == "443");
    CHECK(error.fact("errno") == "ECONNREFUSED");
    CHECK(error.fact("none").empty());
}

TEST_CASE("a later value of the same evidence takes the place of the earlier one") {
    auto error = Error{Vpn::serverDead, ""}.with("a", "1").with("b", "2").with("a", "3");
    CHECK(error.evidence == Evidence{{"a", "3"}, {"b", "2"}});
}
