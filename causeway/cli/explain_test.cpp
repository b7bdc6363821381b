#include "causeway/cli/explain.h"

#include "causeway/base/text.h"
#include "causeway/error/catalogue.h"
#include "causeway/error/paragraph.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

using namespace causeway;
using cli::explain;
using Words = std::vector<std::string>;

namespace {

/// The names explained, in order.
Words names(const Words& asked) {
    Words found;
    for (const auto& each : nlohmann::json::parse(explain(asked, true).output))
        found.push_back(each["name"]);
    return found;
}

}  // namespace

TEST_CASE("a code is explained by any of its names") {
    for (const auto asked :
         {"errSSLCertExpired", "ERRSSLCERTEXPIRED", "-9814", "9814", "+9814", "0xFFFFD9AA",
          "0xffffd9aa", "0XFFFFD9AA", "tls/-9814", "tls/-9814/errSSLCertExpired", " -9814 "}) {
        CAPTURE(asked);
        CHECK(names({asked}) == Words{"errSSLCertExpired"});
    }
}

TEST_CASE("several are explained in the order asked, each once") {
    CHECK(names({"2203002", "19", "VPN_ALREADY_EXISTS"}) ==
          Words{"VPN_ALREADY_EXISTS", "serverCertificateExpired"});
}

TEST_CASE("a number of two vocabularies shows both, VPN first") {
    CHECK(names({"4"}) == Words{"configurationFailed", "errSecUnimplemented"});
    const auto text = explain(Words{"4"}, false).output;
    CHECK(text.find("configurationFailed") < text.find("errSecUnimplemented"));
}

TEST_CASE("nothing asked lists all of them, grouped") {
    const auto all = explain({}, false);
    CHECK(all.status == 0);
    for (const Entry& row : catalogue()) CHECK(all.output.contains(row.name));
    CHECK(all.output.find("vpn: ") < all.output.find("tls: "));
    CHECK(all.output.find("tls: ") < all.output.find("trust: "));
    CHECK(all.output.find("trust: ") < all.output.find("service: "));
    CHECK(names({}).size() == catalogue().size());
}

TEST_CASE("what is not in the catalogue is said with the nearest that is, and status 2") {
    struct Story {
        std::string asked;
        std::string_view nearest;
    };
    const Story stories[] = {
        {"serverDaed", "serverDead"},
        {"certexpird", "errSSLCertExpired"},
        {"-9879", "errSSLATSViolation"},
        {"9870", "errSSLUnrecognizedName"},
        {"20", "serverCertificateExpired"},
        {"0x7b", "errSec"},
        {"VPN_ALREADY_EXIST", "VPN_ALREADY_EXISTS"},
    };
    for (const auto& [asked, nearest] : stories) {
        const auto explanation = explain(Words{asked}, false);
        CAPTURE(asked);
        CHECK(explanation.status == 2);
        CHECK(explanation.output.empty());
        CHECK(explanation.complaint.contains('"' + asked + '"'));
        CHECK(explanation.complaint.contains(nearest));
    }
}

TEST_CASE("even nonsense names something that exists") {
    for (const auto asked : {"x", "", "0", "99999999999999999999", "\x1b[2J", "-"}) {
        const auto explanation = explain(Words{asked}, false);
        CHECK(explanation.status == 2);
        CHECK(explanation.complaint.contains("the nearest is "));
        CHECK_FALSE(explanation.complaint.contains('\x1b'));
    }
}

TEST_CASE("what is known is explained although something else is not") {
    const auto explanation = explain(Words{"serverDead", "nonsense"}, false);
    CHECK(explanation.status == 2);
    CHECK(explanation.output.starts_with("serverDead"));
    CHECK(explanation.complaint.contains("nonsense"));
}

TEST_CASE("JSON has the documented members, and no others") {
    const auto list = nlohmann::ordered_json::parse(explain(Words{"-9814"}, true).output);
    REQUIRE(list.size() == 1);
    Words members;
    for (const auto& [key, value] : list[0].items()) members.push_back(key);
    CHECK(members ==
          Words{"domain", "value", "name", "meaning", "remedy", "move", "recovery", "causes"});
    CHECK(list[0]["domain"] == "tls");
    CHECK(list[0]["value"] == -9814);
    CHECK(list[0]["move"] == "operator");
    CHECK(list[0]["recovery"] == "give-up");
    REQUIRE(list[0]["causes"].size() >= 1);
    CHECK(list[0]["causes"][0].contains("cause"));
    CHECK(list[0]["causes"][0].contains("check"));
}

TEST_CASE("every row is explained in text that fits the page, with causes and checks") {
    for (const Entry& row : catalogue()) {
        const auto text = explain(Words{std::string(row.name)}, false).output;
        CHECK(text.contains("What to do"));
        CHECK(text.contains("Check: "));
        for (const auto line : split(text, '\n')) CHECK(columns(line) <= page_width);
    }
}
