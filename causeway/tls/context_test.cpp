#include "causeway/tls/context.h"

#include "tests/support/tls_world.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace causeway::tls {
namespace {

using namespace causeway::test;

template <typename Made>
std::string outcome(const Result<Made>& made) {
    return made ? "made" : code_text(made.error());
}

TEST_CASE("settings that the channel refuses are named before anything is connected") {
    auto settings = client_settings();
    CHECK(outcome(Context::client(settings)) == "made");

    settings.policy.minimum_version = Version::tls_1_3;
    settings.policy.maximum_version = Version::tls_1_2;
    const auto versions = Context::client(settings);
    REQUIRE_FALSE(versions.has_value());
    CHECK(code_text(versions.error()) == "-9854");
    CHECK(versions.error().detail ==
          "the lowest version allowed, TLS 1.3, is above the highest, TLS 1.2");

    settings = client_settings();
    settings.policy.suites_1_2 = "NO-SUCH-SUITE";
    CHECK(outcome(Context::client(settings)) == "-9854");
    settings = client_settings();
    settings.policy.suites_1_3 = "TLS_NO_SUCH_SUITE";
    CHECK(outcome(Context::client(settings)) == "-9854");
    settings = client_settings();
    settings.policy.groups = "no-such-group";
    CHECK(outcome(Context::client(settings)) == "-9854");
    settings = client_settings();
    settings.policy.rsa_bits = -1;
    CHECK(outcome(Context::client(settings)) == "-9854");
    settings = client_settings();
    settings.protocols = {std::string(256, 'x')};
    CHECK(outcome(Context::client(settings)) == "-9854");
    settings = client_settings();
    settings.trust.authorities = "not a certificate";
    CHECK(outcome(Context::client(settings)) == "-9808 <- -26275");
    settings = client_settings();
    settings.trust.revocation_lists = "not a list";
    CHECK(outcome(Context::client(settings)) == "-9808 <- -26275");
}

TEST_CASE("a server needs an identity, and authorities when it asks for certificates") {
    CHECK(outcome(Context::server({})) == "-9848");
    auto settings = server_settings();
    settings.client_certificate = ClientCertificate::optional;
    CHECK(outcome(Context::server(settings)) == "-9854");
    settings.trust.authorities = world().root.pem();
    CHECK(outcome(Context::server(settings)) == "made");
}

TEST_CASE("an own certificate that breaks the policy is refused with the reason") {
    auto plan = server_plan("vpn.example.com");
    plan.key = "RSA-1024";
    auto settings = server_settings();
    settings.identities = {identity_of(issue(plan, world().root))};
    const auto made = Context::server(settings);
    REQUIRE_FALSE(made.has_value());
    CHECK(code_text(made.error()) == "-9854");
    CHECK(made.error().fact("openssl_reason") == "ee key too small");
}

TEST_CASE("the system's store trusts none of the certificates made here") {
    auto client = client_stream({});
    auto server = server_stream(server_settings());
    Seen c, s;
    connect(client, c, server, s);
    CHECK(code_text(c.failure) == "-9813 <- -25318 <- 20");
    REQUIRE(c.failure.has_value());
    CHECK(c.failure->fact("trusted") == "the system's store");
    CHECK(code_text(s.failure) == "-9831 <- 48");
}

/// What `Context::client` says in a process that starts with that configuration of OpenSSL: it is
/// read once, at the first use.
std::string outcome_under(const std::string& configuration) {
    char path[] = "/tmp/causeway-tls-test-XXXXXX";
    const int file = mkstemp(path);
    REQUIRE(file >= 0);
    REQUIRE(write(file, configuration.data(), configuration.size()) ==
            static_cast<ssize_t>(configuration.size()));
    close(file);
    const std::string command = std::string("OPENSSL_CONF=") + path + " /proc/" +
                                std::to_string(getpid()) +
                                "/exe --test-case='print what a client context says' 2>&1";
    std::string said;
    FILE* child = popen(command.c_str(), "r");
    REQUIRE(child);
    char buffer[512];
    while (std::fgets(buffer, sizeof buffer, child))
        if (std::string_view(buffer).starts_with("outcome: ")) said = std::string(buffer).substr(9);
    pclose(child);
    unlink(path);
    return said.substr(0, said.find('\n'));
}

TEST_CASE("print what a client context says" *
          doctest::skip(std::getenv("OPENSSL_CONF") == nullptr)) {
    std::printf("outcome: %s\n", outcome(Context::client({})).c_str());
}

TEST_CASE("a configuration of OpenSSL that takes its modules or algorithms away is told apart") {
    CHECK(outcome_under("") == "made");
    CHECK(outcome_under("openssl_conf = init\n[init]\nalg_section = algorithms\n"
                        "[algorithms]\ndefault_properties = fips=yes\n") == "-9809");
    CHECK(outcome_under("openssl_conf = init\n[init]\nproviders = providers\n"
                        "[providers]\nabsent = absent_section\n"
                        "[absent_section]\nmodule = /nonexistent/absent.so\nactivate = 1\n") ==
          "-9811");
}

}  // namespace
}  // namespace causeway::tls
