#include "causeway/provider/messages.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

namespace causeway::provider {
namespace {

WorkerMessage carried(const WorkerMessage& message) {
    auto read = worker_message(nlohmann::json::parse(json_of(message).dump()));
    REQUIRE(read);
    return std::move(*read);
}

}  // namespace

TEST_CASE("what a worker says arrives as it was said") {
    TunnelSettings settings;
    settings.addresses = {*Prefix::parse("10.1.2.3/24"), *Prefix::parse("fd00::3/64")};
    settings.mtu = 1400;
    settings.included = {*Prefix::parse("0.0.0.0/0")};
    settings.excluded = {*Prefix::parse("192.168.0.0/16")};
    settings.gateways = {*IpAddress::parse("192.0.2.7")};
    settings.dns_servers = {*IpAddress::parse("10.1.2.1")};
    settings.search_domains = {"corp.example"};
    settings.split_domains = {"corp.example", "lab.example"};
    settings.tunnel_all_dns = true;
    CHECK(std::get<ApplyAsked>(carried(ApplyAsked{settings})).settings == settings);

    PromptAsked asked;
    asked.form.message = "Second password, please";
    asked.fields.resize(1);
    asked.fields[0].kind = protocol::FieldKind::select;
    asked.fields[0].name = "realm";
    asked.fields[0].choices = {{"a", "A"}};
    const auto prompt = std::get<PromptAsked>(carried(asked));
    CHECK(prompt.form.message == asked.form.message);
    CHECK(prompt.fields == asked.fields);

    DatagramChanged changed{DatagramChanged::State::down,
                            "192.0.2.7:443",
                            "",
                            "",
                            0,
                            Error{Tls::errSSLNetworkTimeout, "silence"}};
    const auto datagram = std::get<DatagramChanged>(carried(changed));
    CHECK(datagram.state == changed.state);
    CHECK(datagram.remote == changed.remote);
    CHECK(datagram.why->detail == "silence");

    const Counted counted{{{"sent_packets", 7}, {"sent_bytes", std::uint64_t{1} << 63}}, {"tso"}};
    const auto counters = std::get<Counted>(carried(counted));
    CHECK(counters.values == counted.values);
    CHECK(counters.offloads == counted.offloads);

    const Failed failed{make_incident("office", "vpn:443", Phase::tls,
                                      Error{Vpn::serverDead, "gone"}.with("key", "value"))};
    const auto incident = std::get<Failed>(carried(failed)).incident;
    CHECK(incident.id == failed.incident.id);
    CHECK(incident.error.fact("key") == "value");
}

TEST_CASE("what makes no sense is refused, not guessed at") {
    using nlohmann::json;
    for (const auto* text : {R"({})", R"({"type": 7})", R"({"type": "unheard-of"})",
                             R"({"type": "note"})", R"({"type": "note", "text": 5})",
                             R"({"type": "phase", "phase": "x", "ms": 1, "result": ""})",
                             R"({"type": "failed", "incident": "{}"})", R"([])",
                             R"({"type": "connected", "addresses": ["nowhere"]})",
                             R"({"type": "datagram", "state": "sideways"})",
                             R"({"type": "counted", "values": [["a", -1]], "offloads": []})",
                             R"({"type": "phase", "phase": "tls", "ms": 1e79, "result": ""})",
                             R"({"type": "phase", "phase": "tls", "ms": 1.5, "result": ""})",
                             R"({"type": "phase", "phase": "tls", "ms": 18446744073709551615,
                                 "result": ""})"}) {
        CAPTURE(text);
        const auto message = worker_message(json::parse(text));
        REQUIRE_FALSE(message);
        CHECK(message.error().code == Code(Service::PARAMETER_ERROR));
    }
}

TEST_CASE("an answer is what was asked for, or the owner's error whole") {
    const Error error =
        Error{Vpn::configurationFailed, "no"}.because({Service::PARAMETER_ERROR, ""});
    const auto refused = read_applied(answer_error(error));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().find(Code(Service::PARAMETER_ERROR)) != nullptr);
    CHECK(read_applied(answer_applied({{"a note"}}))->notes.size() == 1);
    CHECK(read_ok(answer_ok()));
    Typed typed;
    typed["password"] = Secret("secret");
    CHECK(read_typed(answer_typed(typed))->at("password").reveal() == "secret");
}

}  // namespace causeway::provider
