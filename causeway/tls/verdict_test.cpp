#include "causeway/tls/verdict.h"

#include "causeway/error/catalogue.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <string>

namespace causeway::tls {
namespace {

// What is no end of a channel before there was a session, so that the verdict never meets it.
constexpr auto never_an_end = std::to_array<Tls>({
    Tls::errSSLClosedGraceful,       // The end of a session.
    Tls::errSSLClientCertRequested,  // Raised by the login, above the channel.
    Tls::errSSLModuleAttach,         // Raised before there is a channel.
});

bool is_an_end(const Entry& row) {
    return std::ranges::find(never_an_end, static_cast<Tls>(row.number)) == never_an_end.end();
}

TEST_CASE("the catalogue shows each code of the channel as the verdict does") {
    Facts facts;
    facts.certificate_requested = facts.certificate_sent = true;
    for (const Entry& row : catalogue()) {
        if (row.domain != Domain::tls || !is_an_end(row)) continue;
        CAPTURE(std::string(row.name));
        CHECK(row.shown_as == vpn_code(Error{row.code(), {}}, facts, false));
    }
}

}  // namespace
}  // namespace causeway::tls
