#include "causeway/error/json.h"

#include <doctest/doctest.h>

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string>

using namespace causeway;
using Json = nlohmann::ordered_json;

namespace {

Incident expired() {
    using std::chrono::milliseconds;
    const auto time = WallTime(std::chrono::sys_days(std::chrono::year(2026) / 11 / 20)) +
                      std::chrono::hours(20) + std::chrono::minutes(58) + milliseconds(123);
    auto fact = Error{Code::raw(Domain::x509, 10), ""};
    auto channel = Error{Tls::errSSLCertExpired, ""}
                       .with("depth", "0")
                       .with("not_after", "2026-11-17T08:00:00Z")
                       .because(std::move(fact));
    auto error = Error{Vpn::serverCertificateExpired, "it expired 3 days ago"}
                     .with("server", "vpn.example.com")
                     .with("address", "192.0.2.7")
                     .because(std::move(channel));
    return {0x5f3a9c01d2e4b677,
            time,
            "office",
            "vpn.example.com:443",
            Phase::tls,
            std::move(error),
            {{Phase::resolve, milliseconds(3), "192.0.2.7"},
             {Phase::connect, milliseconds(11), "192.0.2.7:443"}}};
}

/// The detail of the refusal, or "accepted".
std::string refusal(std::string_view text) {
    const auto incident = incident_from_text(text);
    if (incident) return "accepted";
    CHECK(incident.error().code == Code(Service::PARAMETER_ERROR));
    return incident.error().detail;
}

/// The form of expired() with one member changed or, with a null, left out.
std::string changed(std::string_view pointer, const Json& value) {
    Json json = json_of(expired());
    const Json::json_pointer place{std::string(pointer)};
    if (value.is_null())
        json.at(place.parent_pointer()).erase(place.back());
    else
        json[place] = value;
    return json.dump();
}

std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

}  // namespace

TEST_CASE("an incident has exactly the documented form") {
    const auto expected = Json::parse(R"({
        "version": 1,
        "incident": "5f3a9c01d2e4b677",
        "time": "2026-11-20T20:58:00.123Z",
        "profile": "office",
        "server": "vpn.example.com:443",
        "phase": "tls",
        "error": {
            "domain": "vpn", "value": 19, "name": "serverCertificateExpired",
            "meaning": "The server's certificate has expired.",
            "detail": "it expired 3 days ago",
            "remedy": "REMEDY", "move": "operator", "recovery": "give-up",
            "evidence": {"server": "vpn.example.com", "address": "192.0.2.7"},
            "cause": {
                "domain": "tls", "value": -9814, "name": "errSSLCertExpired",
                "meaning": "MEANING", "remedy": "REMEDY", "move": "operator", "recovery": "give-up",
                "evidence": {"depth": "0", "not_after": "2026-11-17T08:00:00Z"},
                "cause": {"domain": "x509", "value": 10, "name": "X509_V_ERR_CERT_HAS_EXPIRED"}
            }
        },
        "trail": [
            {"phase": "resolve", "ms": 3, "result": "192.0.2.7"},
            {"phase": "connect", "ms": 11, "result": "192.0.2.7:443"}
        ]
    })");
    auto json = json_of(expired());
    CHECK(json["error"]["remedy"] == entry(Vpn::serverCertificateExpired)->remedy);
    CHECK(json["error"]["cause"]["meaning"] == entry(Tls::errSSLCertExpired)->meaning);
    json["error"]["remedy"] = json["error"]["cause"]["remedy"] = "REMEDY";
    json["error"]["cause"]["meaning"] = "MEANING";
    CHECK(json.dump() == expected.dump());
}

TEST_CASE("an incident comes back from its text whole and in order") {
    const auto text = json_text(expired());
    CHECK_FALSE(text.contains('\n'));
    const auto again = incident_from_text(text);
    REQUIRE(again.has_value());
    CHECK(json_text(*again) == text);
    CHECK(again->id == 0x5f3a9c01d2e4b677);
    CHECK(again->time == expired().time);
    CHECK(again->error.evidence == expired().error.evidence);
    CHECK(again->error.find(Code::raw(Domain::x509, 10)));
    CHECK(again->trail.size() == 2);
}

TEST_CASE("an error alone comes back from its text") {
    const auto error = Error{Vpn::authenticationFailed, "user \"a\"\n"}.because(
        Error{Code::raw(Domain::http, 401), ""});
    const auto again = error_from_text(json_text(error));
    REQUIRE(again.has_value());
    CHECK(again->code == error.code);
    CHECK(again->detail == error.detail);
    CHECK(again->cause->code == Code::raw(Domain::http, 401));
}

TEST_CASE("words stand on the first error and on the one that advises best, nowhere else") {
    const auto json = json_of(Error{Vpn::serverCertificateInvalid, ""}.because(
        Error{Tls::errSSLXCertChainInvalid, ""}.because(
            Error{Trust::errSecInvalidExtendedKeyUsage, ""})));
    CHECK(json.contains("remedy"));
    CHECK_FALSE(json["cause"].contains("remedy"));
    CHECK(json["cause"]["cause"]["remedy"] == entry(Trust::errSecInvalidExtendedKeyUsage)->remedy);
}

TEST_CASE("what is empty is left out of an error") {
    const auto json = json_of(Error{Code::raw(Domain::system, 1), ""});
    CHECK(json.dump() == R"({"domain":"system","value":1,"name":"EPERM"})");
}

TEST_CASE("bytes that are not UTF-8 are replaced") {
    const auto text = json_text(Error{Vpn::serverDead, "a\xff"}.with("k\xc0", "\xe2\x82"));
    const auto again = error_from_text(text);
    REQUIRE(again.has_value());
    CHECK(again->detail == "a\xef\xbf\xbd");
    CHECK(again->evidence.front().first == "k\xef\xbf\xbd");
}

TEST_CASE("members that are not known are passed over, so that later versions can add some") {
    CHECK(refusal(changed("/weather", "fine")) == "accepted");
    CHECK(refusal(changed("/error/weather", Json::array({1, 2}))) == "accepted");
}

TEST_CASE("a code of a later version is kept as its number") {
    const auto incident = incident_from_text(changed("/error/value", 99));
    REQUIRE(incident.has_value());
    CHECK(incident->error.code == Code::raw(Domain::vpn, 99));
}

TEST_CASE("a form that is not ours is refused by the name of the member") {
    struct Story {
        std::string_view pointer;
        Json value;
        std::string_view detail;
    };
    const Story stories[] = {
        {"/version", 2, "\"version\" is not a whole number from 1 to 1"},
        {"/version", nullptr, "\"version\" is not a whole number from 1 to 1"},
        {"/version", "1", "\"version\" is not a whole number from 1 to 1"},
        {"/incident", "5f3a", "\"incident\" is not 16 hexadecimal digits"},
        {"/incident", 5, "\"incident\" is not a string"},
        {"/time", "yesterday", "\"time\" is not a time like 2026-11-20T20:58:00.123Z"},
        {"/time", "2026-02-30T20:58:00Z", "\"time\" is not a time like 2026-11-20T20:58:00.123Z"},
        {"/time", "2026-11-20T24:58:00Z", "\"time\" is not a time like 2026-11-20T20:58:00.123Z"},
        {"/time", "2026-11-20T20:58:00Z ", "\"time\" is not a time like 2026-11-20T20:58:00.123Z"},
        {"/phase", "lunch", "\"phase\" is not one that exists"},
        {"/error", nullptr, "\"error\" is not there"},
        {"/error", 7, "\"error\" is not an object"},
        {"/error/domain", "moon", "\"domain\" is not one that exists"},
        {"/error/value", 1.5, "\"value\" is not a whole number from -2147483648 to 2147483647"},
        {"/error/value", 1e19, "\"value\" is not a whole number from -2147483648 to 2147483647"},
        {"/error/value", std::uint64_t(-1),
         "\"value\" is not a whole number from -2147483648 to 2147483647"},
        {"/error/evidence", Json::array(), "\"evidence\" is not an object"},
        {"/error/evidence/depth", 1, "\"depth\" is not a string"},
        {"/error/detail", Json::object(), "\"detail\" is not a string"},
        {"/error/cause", "rain", "\"error\" is not an object"},
        {"/trail", Json::object(), "\"trail\" is not an array"},
        {"/trail/0", 1, "\"trail\" is not made of objects"},
        {"/trail/0/ms", -1, "\"ms\" is not a whole number from 0 to 2147483647"},
    };
    for (const auto& [pointer, value, detail] : stories) {
        CAPTURE(std::string(pointer));
        CHECK(refusal(changed(pointer, value)) == detail);
    }
}

TEST_CASE("text that is not JSON, too deep or too long is refused") {
    CHECK(refusal("") == "the text is not JSON");
    CHECK(refusal("{\"version\":1") == "the text is not JSON");
    CHECK(refusal("{\"version\":\"\xff\"}") == "the text is not JSON");
    CHECK(refusal("[]") == "\"incident\" is not an object");
    CHECK(refusal(nested(100000)) == "the JSON text is more than 32 levels deep");
    CHECK(parse_json(nested(JsonLimits::depth)).has_value());
    CHECK_FALSE(parse_json(nested(JsonLimits::depth + 2)).has_value());
    const std::string long_text(JsonLimits::bytes + 1, ' ');
    CHECK(refusal(long_text) == "the JSON text has 262145 bytes, and 262144 are accepted");
}

TEST_CASE("a chain, evidence, a trail or a string longer than the limit is refused") {
    Error chain{Vpn::serverDead, ""};
    for (std::size_t links = 1; links < JsonLimits::chain; ++links)
        chain = Error{Vpn::serverDead, ""}.because(std::move(chain));
    Json longest = json_of(chain);
    CHECK(error_from_json(longest).has_value());
    Json longer = {{"domain", "vpn"}, {"value", 7}, {"name", "serverDead"}};
    longer["cause"] = longest;
    CHECK(error_from_json(longer).error().detail == "\"cause\" is not at most 16 deep");

    Json evidence;
    for (std::size_t pair = 0; pair <= JsonLimits::evidence; ++pair)
        evidence[std::to_string(pair)] = "";
    CHECK(refusal(changed("/error/evidence", evidence)) == "\"evidence\" is not at most 64 pairs");

    const Json step = {{"phase", "tls"}, {"ms", 1}, {"result", ""}};
    const Json trail = Json::array_t(JsonLimits::trail + 1, step);
    CHECK(refusal(changed("/trail", trail)) == "\"trail\" is not at most 256 steps");

    const std::string text(JsonLimits::text + 1, 'x');
    CHECK(refusal(changed("/error/detail", text)) == "\"detail\" is not at most 16384 bytes long");
}

TEST_CASE("a text cut anywhere is refused, not half read") {
    const auto whole = json_text(expired());
    for (std::size_t length = 0; length < whole.size(); ++length)
        CHECK(refusal(std::string_view(whole).substr(0, length)) == "the text is not JSON");
}
