#include "causeway/service/request.h"

#include "causeway/service/limits.h"

#include <doctest/doctest.h>

#include <fmt/format.h>

#include <string>

namespace causeway::service {
namespace {

/// The detail of the refusal, behind the number it is answered by.
std::string refusal(std::string_view text) {
    const auto request = parse_request(text);
    if (request) return "accepted";
    CHECK(request.error().error.code == Code(Service::PARAMETER_ERROR));
    return fmt::format("{}: {}", request.error().id ? std::to_string(*request.error().id) : "-",
                       request.error().error.detail);
}

TEST_CASE("a request has a number, a method and its fields") {
    const auto request =
        parse_request(R"({"id":7,"method":"destroy","params":{"session":"x"},"version":1})");
    REQUIRE(request.has_value());
    CHECK(request->id == 7);
    CHECK(request->method == Method::destroy);
    CHECK(request->params == nlohmann::json{{"session", "x"}});
    CHECK(parse_request(R"({"id":0,"method":"status"})")->params == nlohmann::json::object());
}

TEST_CASE("every method has a name of its own") {
    for (const auto name : method_names()) CHECK(name_of(*method_named(name)) == name);
    CHECK(!method_named("setUp"));
}

TEST_CASE("a wrong request is answered by its number where that can be read") {
    CHECK(refusal("") == "-: the text is not JSON at byte 1");
    CHECK(refusal("[]") == "-: a request is one JSON object");
    CHECK(refusal("7") == "-: a request is one JSON object");
    CHECK(refusal(R"({"id":1,"method":"status")") == "-: the text is not JSON at byte 26");
    CHECK(refusal("{\"id\":1,\"method\":\"\xff\"}").starts_with("-: the text is not JSON at byte"));
    CHECK(refusal(R"({"method":"status"})") == "-: id is missing, expected is a whole number");
    CHECK(refusal(R"({"id":-1,"method":"status"})").starts_with("-: id is -1, allowed is 0 to"));
    CHECK(refusal(R"({"id":9007199254740992,"method":"status"})").starts_with("-: id is 9007"));
    CHECK(refusal(R"({"id":1.0,"method":"status"})") == "-: id is 1.0, allowed is a whole number");
    CHECK(refusal(R"({"id":4})") == "4: method is missing, expected is text");
    CHECK(refusal(R"({"id":4,"method":"setup"})") ==
          "4: method is \"setup\", allowed is one that there is; the nearest is set_up");
    CHECK(refusal(R"({"id":4,"method":"status","params":[]})") ==
          "4: params is [], allowed is an object");
    CHECK(refusal(R"({"id":4,"method":"status","parms":{}})") ==
          "4: parms is an object, allowed is no such field; the nearest is params");
    CHECK(refusal(R"({"id":4,"method":"status","version":2})") == "4: version is 2, allowed is 1");
}

TEST_CASE("a field that is given twice is refused, at any depth") {
    CHECK(refusal(R"({"id":4,"id":5,"method":"status"})") == "-: the field \"id\" is given twice");
    CHECK(refusal(R"({"id":4,"method":"set_up","params":{"config":{"mtu":1,"mtu":2}}})") ==
          "-: the field \"mtu\" is given twice");
    CHECK(refusal(R"({"id":4,"method":"set_up","params":{"a":{"mtu":1},"b":{"mtu":2}}})") ==
          "accepted");
}

TEST_CASE("depth, values, fields and texts have limits") {
    const auto with = [](const std::string& params) {
        return refusal(R"({"id":4,"method":"set_up","params":{"a":)" + params + "}}");
    };
    const auto nested = [](std::size_t depth) {
        return std::string(depth, '[') + std::string(depth, ']');
    };
    CHECK(with(nested(depth_limit - 2)) == "accepted");
    CHECK(with(nested(depth_limit - 1)) == "-: the text is more than 12 levels deep");
    CHECK(with(nested(100'000)) == "-: the text is more than 12 levels deep");
    std::string many = "[0";
    for (std::size_t i = 0; i < value_limit; ++i) many += ",0";
    CHECK(with(many + "]") == "-: the text has more than 250000 values");
    std::string fields = "{";
    for (std::size_t i = 0; i <= field_limit; ++i)
        fields += fmt::format("{}\"f{}\":0", i == 0 ? "" : ",", i);
    CHECK(with(fields + "}") == "-: an object has more than 32 fields");
    CHECK(with("\"" + std::string(text_limit, 'a') + "\"") == "accepted");
    CHECK(with("\"" + std::string(text_limit + 1, 'a') + "\"") ==
          "-: a text has 4097 bytes, and 4096 are accepted");
}

TEST_CASE("answers carry the number, and null where there was none") {
    CHECK(answer_text(7, {{"session", "x"}}) == R"({"id":7,"result":{"session":"x"}})");
    const auto incident =
        make_incident("", "", Phase::device, Error{Service::PARAMETER_ERROR, "no"});
    CHECK(error_text(7, incident).starts_with(R"({"id":7,"error":{"version":1,"incident":)"));
    CHECK(error_text(std::nullopt, incident).starts_with(R"({"id":null,"error":{)"));
}

}  // namespace
}  // namespace causeway::service
