#include "causeway/error/catalogue.h"

#include "causeway/base/file.h"
#include "causeway/base/text.h"
#include "causeway/error/names.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <set>
#include <string>

using namespace causeway;

namespace {

std::vector<std::string> names_of(const std::vector<const Entry*>& rows) {
    std::vector<std::string> names;
    for (const Entry* row : rows) names.emplace_back(row->name);
    return names;
}

/// A sentence for people: begins with a capital, a digit or code, and ends.
bool is_sentence(std::string_view text) {
    if (text.size() < 10) return false;
    const char first = text.front();
    const bool begins = (first >= 'A' && first <= 'Z') || first == '`';
    return begins && (text.ends_with('.') || text.ends_with('?')) && !text.contains("  ");
}

}  // namespace

TEST_CASE("every published code has its row, with the published name and number, and no other") {
    const auto published = read_file("tests/data/error/published_codes.tsv");
    REQUIRE(published.has_value());
    std::size_t count = 0;
    for (const auto line : split(*published, '\n')) {
        if (line.empty() || line.starts_with('#')) continue;
        const auto parts = split(line, '\t');
        REQUIRE(parts.size() == 3);
        CAPTURE(std::string(line));
        const auto number = std::atoi(std::string(parts[2]).c_str());
        const Entry* row = entry(Code::raw(domain_named(parts[0]).value(), number));
        REQUIRE(row);
        CHECK(row->name == parts[1]);
        ++count;
    }
    CHECK(count == 19 + 74 + 38 + 10);
    CHECK(catalogue().size() == count);
}

TEST_CASE("no code has two rows and no two rows share a name in any case or a meaning") {
    std::set<std::pair<Domain, std::int32_t>> codes;
    std::set<std::string> names;
    std::set<std::string_view> meanings;
    for (const Entry& row : catalogue()) {
        CAPTURE(std::string(row.name));
        CHECK(codes.insert({row.domain, row.number}).second);
        CHECK(names.insert(lower(row.name)).second);
        CHECK(meanings.insert(row.meaning).second);
    }
}

TEST_CASE("all words are sentences, and none of them says nothing") {
    constexpr std::string_view empty_words[] = {"error occurred", "unknown error", "please",
                                                "sorry",          "oops",          "something went",
                                                "illegal",        "bad luck"};
    const auto check = [&](std::string_view text) {
        CAPTURE(std::string(text));
        CHECK(is_sentence(text));
        CHECK(valid_utf8(text) == text);
        for (const auto words : empty_words) CHECK_FALSE(lower(text).contains(words));
    };
    for (const Entry& row : catalogue()) {
        check(row.meaning);
        check(row.remedy);
        CHECK(row.remedy != row.meaning);
        for (const Cause& cause : row.causes) {
            check(cause.cause);
            check(cause.check);
        }
    }
}

TEST_CASE("a connection's code is shown as itself, and every other one as a connection's code") {
    for (const Entry& row : catalogue()) {
        CHECK(entry(row.shown_as));
        if (row.domain == Domain::vpn) CHECK(Code(row.shown_as) == row.code());
    }
}

TEST_CASE("certificates' dates are shown as the code that speaks of dates") {
    CHECK(entry(Tls::errSSLCertExpired)->shown_as == Vpn::serverCertificateExpired);
    CHECK(entry(Tls::errSSLCertNotYetValid)->shown_as == Vpn::serverCertificateNotYetValid);
    CHECK(entry(Tls::errSSLPeerCertExpired)->shown_as == Vpn::clientCertificateExpired);
}

TEST_CASE("rows stand in the order VPN, TLS, trust, service, and by number inside each") {
    const auto rows = catalogue();
    for (std::size_t at = 1; at < rows.size(); ++at) {
        CHECK(rows[at - 1].domain <= rows[at].domain);
        if (rows[at - 1].domain == rows[at].domain)
            CHECK(std::abs(rows[at - 1].number) < std::abs(rows[at].number));
    }
    CHECK(rows.front().code() == Code(Vpn::overslept));
    CHECK(rows.back().code() == Code(Service::SYSTEM_INTERNAL_ERROR));
}

TEST_CASE("a raw fact has no row") {
    CHECK(entry(Code::raw(Domain::system, 1)) == nullptr);
    CHECK(entry(Code::raw(Domain::vpn, 20)) == nullptr);
    CHECK(entry(Resolver::NXDOMAIN) == nullptr);
}

TEST_CASE("a row is found by its name in any case") {
    CHECK(entry_named("SERVERDEAD")->code() == Code(Vpn::serverDead));
    CHECK(entry_named("errsslcertexpired")->code() == Code(Tls::errSSLCertExpired));
    CHECK(entry_named("vpn_already_exists")->code() == Code(Service::VPN_ALREADY_EXISTS));
    CHECK(entry_named("serverDea") == nullptr);
    CHECK(entry_named("") == nullptr);
}

TEST_CASE("a row is found by its number, without the sign, and as 32 bits") {
    using Names = std::vector<std::string>;
    CHECK(names_of(entries_numbered(-9814)) == Names{"errSSLCertExpired"});
    CHECK(names_of(entries_numbered(9814)) == Names{"errSSLCertExpired"});
    CHECK(names_of(entries_numbered(0xFFFFD9AA)) == Names{"errSSLCertExpired"});
    CHECK(names_of(entries_numbered(2203002)) == Names{"VPN_ALREADY_EXISTS"});
    CHECK(names_of(entries_numbered(19)) == Names{"serverCertificateExpired"});
    CHECK(names_of(entries_numbered(0)).empty());
    CHECK(names_of(entries_numbered(-19)).empty());
    CHECK(names_of(entries_numbered(std::int64_t{1} << 40)).empty());
}

TEST_CASE("a number of two vocabularies gives both rows, VPN first") {
    using Names = std::vector<std::string>;
    CHECK(names_of(entries_numbered(4)) == Names{"configurationFailed", "errSecUnimplemented"});
    CHECK(names_of(entries_numbered(-4)) == Names{"errSecUnimplemented"});
}

TEST_CASE("moves and recoveries have the names of the JSON form, and come back from them") {
    CHECK(name_of(Move::operator_) == "operator");
    CHECK(name_of(Recovery::wait_for_network) == "wait-for-network");
    for (const auto move :
         {Move::you, Move::administrator, Move::operator_, Move::network, Move::machine}) {
        CHECK(move_named(name_of(move)) == move);
        CHECK_FALSE(spoken(move).empty());
    }
    for (const auto recovery :
         {Recovery::retry, Recovery::wait_for_network, Recovery::ask_user, Recovery::give_up})
        CHECK(recovery_named(name_of(recovery)) == recovery);
    CHECK_FALSE(move_named("operator_"));
    CHECK_FALSE(recovery_named("give_up"));
}
