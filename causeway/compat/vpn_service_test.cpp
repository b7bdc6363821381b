#include "causeway/compat/vpn_service.h"

#include "causeway/error/json.h"

#include <doctest/doctest.h>
#include <stdlib.h>

#include <string>

namespace {

/// Nothing listens there.
struct Nowhere {
    Nowhere() { setenv("CAUSEWAY_SOCKET", "/nowhere/control.sock", 1); }
    ~Nowhere() { unsetenv("CAUSEWAY_SOCKET"); }
};

TEST_CASE("without a service every call says so: code, name, sentence and a whole incident") {
    const Nowhere nowhere;
    causeway_error* error = nullptr;
    CHECK(causeway_vpn_set_up("{}", &error) == nullptr);
    REQUIRE(error != nullptr);
    CHECK(causeway_error_code(error) == 19900002);
    CHECK(std::string(causeway_error_name(error)) == "SYSTEM_INTERNAL_ERROR");
    CHECK(std::string(causeway_error_sentence(error))
              .ends_with("no VPN service can be reached at /nowhere/control.sock"));
    const auto incident = causeway::incident_from_text(causeway_error_incident(error));
    REQUIRE(incident.has_value());
    CHECK(incident->error.fact("errno") == "ENOENT");
    causeway_error_free(error);

    error = nullptr;
    CHECK(causeway_service_ask("status", "{}", &error) == nullptr);
    CHECK(causeway_error_code(error) == 19900002);
    causeway_error_free(error);
}

TEST_CASE("a configuration that is no JSON does not reach the service") {
    const Nowhere nowhere;
    for (const char* text : {"", "{", "{}{}", "7},\"x\":{"}) {
        causeway_error* error = nullptr;
        CHECK(causeway_vpn_set_up(text, &error) == nullptr);
        CHECK(causeway_error_code(error) == 401);
        causeway_error_free(error);
    }
}

TEST_CASE("who does not ask why is not told, and nothing may be freed and ended") {
    const Nowhere nowhere;
    CHECK(causeway_vpn_set_up("{}", nullptr) == nullptr);
    CHECK(causeway_vpn_destroy(nullptr, nullptr) == 0);
    causeway_error_free(nullptr);
    causeway_free(nullptr);
}

}  // namespace
