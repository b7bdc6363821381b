#include "causeway/service/bus_json.h"

#include "causeway/service/limits.h"
#include "causeway/service/vpn_config_json.h"

#include <doctest/doctest.h>

#include <fmt/format.h>
#include <sdbus-c++/Types.h>
#include <unistd.h>

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace causeway::service {
namespace {

/// What a message brings, read by the code under test. A refusal leaves in the middle of the
/// message: by an exception, since the library wants the rest read.
struct Read {
    nlohmann::json json;
};
struct Refused {
    std::string detail;
};

/// A message's a{sv}, written by the test.
struct Written {
    std::function<void(sdbus::Message&)> write;
};

sdbus::Message& operator>>(sdbus::Message& message, Read& into) {
    auto json = json_from(message);
    if (!json) throw Refused{json.error().detail};
    into.json = std::move(*json);
    return message;
}

sdbus::Message& operator<<(sdbus::Message& message, const Written& written) {
    written.write(message);
    return message;
}

}  // namespace
}  // namespace causeway::service

template <>
struct sdbus::signature_of<causeway::service::Read> {
    static constexpr bool is_valid = true;
    static std::string str() { return "a{sv}"; }
};
template <>
struct sdbus::signature_of<causeway::service::Written> {
    static constexpr bool is_valid = true;
    static std::string str() { return "a{sv}"; }
};

namespace causeway::service {
namespace {

using sdbus::Variant;
using Dictionary = std::map<std::string, Variant>;

template <typename Value>
Result<nlohmann::json> read(const Value& value) {
    try {
        return Variant(value).get<Read>().json;
    } catch (const Refused& refused) {
        return fail(Service::PARAMETER_ERROR, refused.detail);
    }
}

/// What it reads as, or the complaint.
template <typename Value>
std::string story(const Value& value) {
    const auto json = read(value);
    return json ? json->dump() : json.error().detail;
}

/// Of a configuration that has this field beside a sound address: "mtu is …".
std::string fault_of(const std::string& field, const Variant& value) {
    const Dictionary address{{"address", Variant(std::string("10.8.0.2"))}};
    const Dictionary link{{"address", Variant(address)},
                          {"prefixLength", Variant(std::uint8_t{24})}};
    Dictionary config{{"addresses", Variant(std::vector<Dictionary>{link})}};
    config.insert_or_assign(field, value);
    const auto json = read(config);
    REQUIRE(json.has_value());
    const auto read_config = vpn_config_from(*json);
    return read_config ? "accepted" : read_config.error().detail;
}

TEST_CASE("every width of number, lists of any kind and variants in variants read as JSON") {
    const Dictionary all{
        {"y", Variant(std::uint8_t{255})},
        {"n", Variant(std::int16_t{-1})},
        {"q", Variant(std::uint16_t{65535})},
        {"i", Variant(std::int32_t{-70000})},
        {"u", Variant(std::uint32_t{4000000000})},
        {"x", Variant(std::int64_t{-5000000000})},
        {"t", Variant(std::uint64_t{18446744073709551615ULL})},
        {"d", Variant(1.5)},
        {"b", Variant(true)},
        {"s", Variant(std::string("text"))},
        {"o", Variant(sdbus::ObjectPath("/a"))},
        {"as", Variant(std::vector<std::string>{"a", "b"})},
        {"ai", Variant(std::vector<std::int32_t>{})},
        {"av", Variant(std::vector<Variant>{Variant(Variant(std::int32_t{1}))})},
        {"a{sv}", Variant(Dictionary{{"in", Variant(false)}})},
        {"a{ss}", Variant(std::map<std::string, std::string>{{"k", "v"}})},
    };
    CHECK(story(all) ==
          R"({"ai":[],"as":["a","b"],"av":[1],"a{ss}":{"k":"v"},"a{sv}":{"in":false},"b":true,)"
          R"("d":1.5,"i":-70000,"n":-1,"o":"/a","q":65535,"s":"text","t":18446744073709551615,)"
          R"("u":4000000000,"x":-5000000000,"y":255})");
}

TEST_CASE("what JSON has no word for is refused at its place, and the rest is read") {
    CHECK(fault_of("mtu", Variant(std::uint16_t{1400})) == "accepted");
    CHECK(fault_of("mtu", Variant(Variant(std::int64_t{1400}))) == "accepted");
    CHECK(fault_of("mtu", Variant(sdbus::UnixFd(0))) ==
          "mtu is a descriptor, allowed is a whole number");
    CHECK(fault_of("mtu", Variant(sdbus::Signature("as"))) ==
          "mtu is a signature, allowed is a whole number");
    CHECK(fault_of("mtu", Variant(sdbus::make_struct(1, 2))) ==
          "mtu is a structure, allowed is a whole number");
    CHECK(fault_of("mtu", Variant(1400.0)) == "mtu is 1400.0, allowed is a whole number");
    CHECK(fault_of("isMetered", Variant(std::int32_t{1})) ==
          "isMetered is 1, allowed is true or false");
    CHECK(fault_of("dnsAddresses", Variant(std::vector<std::int32_t>{7})) ==
          "dnsAddresses[0] is 7, allowed is text");
    CHECK(fault_of("routes", Variant(std::map<std::uint32_t, std::string>{{1, "x"}})) ==
          "routes[0] is an entry whose key is no text, allowed is an object");
    CHECK(fault_of("mtu", Variant(std::uint64_t{1} << 63)) ==
          "mtu is 9223372036854775808, allowed is 576 to 1500");
}

TEST_CASE("depth, values, fields, texts and repeated fields have the limits of the socket") {
    Variant nested(std::vector<Variant>{});
    // The request, its parameters and the configuration are three levels.
    for (std::size_t depth = 4; depth < depth_limit; ++depth)
        nested = Variant(std::vector<Variant>{nested});
    CHECK(read(Dictionary{{"a", nested}}).has_value());
    CHECK(story(Dictionary{{"a", Variant(std::vector<Variant>{nested})}}) ==
          "the text is more than 12 levels deep");
    CHECK(story(Dictionary{{"a", Variant(std::vector<std::uint8_t>(value_limit))}}) ==
          "the text has more than 250000 values");
    Dictionary fields;
    for (std::size_t i = 0; i <= field_limit; ++i) fields[fmt::format("f{}", i)] = Variant(true);
    CHECK(story(fields) == "an object has more than 32 fields");
    CHECK(story(Dictionary{{"a", Variant(std::string(text_limit + 1, 'a'))}}) ==
          "a text has 4097 bytes, and 4096 are accepted");
    const std::vector<std::string> large(frame_limit / text_limit + 1,
                                         std::string(text_limit, 'a'));
    CHECK(story(Dictionary{{"a", Variant(large)}}) == "the texts have more than 4194304 bytes");

    const Written twice{[](sdbus::Message& message) {
        message.openContainer("{sv}");
        for (int i = 0; i < 2; ++i) {
            message.openDictEntry("sv");
            message << "mtu" << Variant(std::int32_t{1400});
            message.closeDictEntry();
        }
        message.closeContainer();
    }};
    CHECK(story(twice) == "the field \"mtu\" is given twice");
}

TEST_CASE("an answer is read as it was written, without what is null") {
    const nlohmann::ordered_json answer{{"text", "a"},
                                        {"number", -3},
                                        {"flag", true},
                                        {"list", {"x", 1, {{"y", 2}}}},
                                        {"none", {}},
                                        {"object", {{"z", "q"}}},
                                        {"empty", nlohmann::ordered_json::array()}};
    const auto back = read(Written{[&](sdbus::Message& message) { append_json(message, answer); }});
    REQUIRE(back.has_value());
    nlohmann::json wanted = answer;
    wanted.erase("none");
    CHECK(*back == wanted);
}

}  // namespace
}  // namespace causeway::service
