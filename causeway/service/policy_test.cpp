#include "causeway/service/policy.h"

#include <doctest/doctest.h>

#include <unistd.h>

#include <string>
#include <vector>

namespace causeway::service {
namespace {

constexpr uid_t somebody = 4001;

/// The faults of a file, a line each.
std::string faults(std::string_view text) {
    const auto policy = parse_policy(text, "service.toml");
    if (policy) return "none";
    CHECK(policy.error().code == Code(Vpn::configurationFailed));
    std::string lines;
    for (const auto& [key, value] : policy.error().evidence)
        if (key.starts_with("fault_")) lines += value + "\n";
    return lines;
}

std::string_view verdict(const Policy& policy, const Caller& caller) {
    if (const auto allowed = policy.check_prohibited(caller); !allowed) return "203";
    const auto owner = policy.check_owner(caller);
    if (owner) return "may";
    return owner.error().code == Code(Service::PERMISSION_DENIED) ? "201" : "2203001";
}

TEST_CASE("an empty file lets root own a VPN and strangers not") {
    const auto policy = parse_policy("", "service.toml");
    REQUIRE(policy.has_value());
    CHECK(verdict(*policy, {0, 1, {0}}) == "may");
    CHECK(verdict(*policy, {somebody, 1, {somebody}}) == "201");
    CHECK(policy->run_as_user == "causeway");
}

TEST_CASE("owners, guests and those for whom it is prohibited are told apart, in that order") {
    const auto policy = parse_policy(
        "[owners]\nusers = [\"4001\", \"4002\"]\ngroups = [\"5000\"]\n"
        "[guests]\nusers = [\"4002\"]\ngroups = [\"5001\"]\n"
        "[prohibited_for]\nusers = [\"4003\"]\ngroups = [\"5002\"]\n",
        "service.toml");
    REQUIRE(policy.has_value());
    CHECK(verdict(*policy, {4001, 1, {4001}}) == "may");
    CHECK(verdict(*policy, {4005, 1, {4005, 5000}}) == "may");
    CHECK(verdict(*policy, {4002, 1, {4002}}) == "2203001");
    CHECK(verdict(*policy, {4001, 1, {4001, 5001}}) == "2203001");
    CHECK(verdict(*policy, {4006, 1, {5001}}) == "201");
    CHECK(verdict(*policy, {4003, 1, {4003}}) == "203");
    CHECK(verdict(*policy, {4001, 1, {5002}}) == "203");
}

TEST_CASE("consent is asked for when the file says so, and an unknown word is a fault") {
    CHECK(!parse_policy("", "service.toml")->asks_consent);
    CHECK(!parse_policy("consent = \"none\"", "service.toml")->asks_consent);
    CHECK(parse_policy("consent = \"ask\"", "service.toml")->asks_consent);
    CHECK(faults("consent = \"yes\"") ==
          "service.toml:1:11: consent is \"yes\", allowed is \"none\" or \"ask\"\n");
}

TEST_CASE("what an authority gives makes an owner, and nobody else's guest") {
    const auto policy = parse_policy("[guests]\nusers = [\"4002\"]\n", "service.toml");
    REQUIRE(policy.has_value());
    CHECK(verdict(*policy, {.uid = somebody, .may_own = true}) == "may");
    CHECK(verdict(*policy, {.uid = 4002, .may_own = true}) == "2203001");
    CHECK(verdict(*policy, {.uid = somebody, .may_consent = true, .may_administer = true}) ==
          "201");
}

TEST_CASE("prohibited altogether holds for root too, and the refusal names file and key") {
    const auto policy = parse_policy("prohibited = true", "service.toml");
    REQUIRE(policy.has_value());
    const auto refused = policy->check_prohibited({0, 1, {0}});
    REQUIRE(!refused.has_value());
    CHECK(refused.error().fact("file") == "service.toml");
    CHECK(refused.error().fact("key") == "prohibited");
}

TEST_CASE("every fault has its line and column, and a misspelt word its nearest") {
    CHECK(faults("prohibitted = true") ==
          "service.toml:1:15: there is no key prohibitted; the nearest is prohibited\n");
    CHECK(faults("prohibited = \"no\"\n[owners]\nuser = []\ngroups = 7\n[guest]\n") ==
          "service.toml:1:14: prohibited is \"no\", allowed is true or false\n"
          "service.toml:3:8: there is no key owners.user; the nearest is owners.users\n"
          "service.toml:4:10: owners.groups is 7, allowed is a list of 0 to 4096 texts\n"
          "service.toml:5:1: there is no section [guest]; the nearest is [guests]\n");
    CHECK(
        faults("[owners]\nusers = [\"nobody-of-that-name\"]\n")
            .ends_with("owners.users is \"nobody-of-that-name\", allowed is the name or number of "
                       "a user\n"));
    CHECK(faults("owners = 7\n").starts_with("service.toml:1:10: there is no key owners"));
    CHECK(faults("= 3").starts_with("service.toml:1:1: this is not TOML: "));
    CHECK(faults("run_as_user = \"\"\n").starts_with("service.toml:1:15: run_as_user is \"\""));
}

TEST_CASE("always-on, lockdown and their LAN are read, and a LAN is networks") {
    const auto policy = parse_policy(
        "always_on = true\nlockdown = true\nlan = [\"192.168.0.0/16\", \"fd00::/8\"]\n",
        "service.toml");
    REQUIRE(policy.has_value());
    CHECK(policy->lockdown.always_on);
    CHECK(policy->lockdown.lockdown);
    CHECK(policy->lockdown.lan ==
          std::vector{*Prefix::parse("192.168.0.0/16"), *Prefix::parse("fd00::/8")});
    for (const char* wrong : {"0.0.0.0/0", "192.168.0.1/16", "printer"})
        CHECK(faults("lan = [\"" + std::string(wrong) + "\"]\n")
                  .starts_with("service.toml:1:8: lan is \"" + std::string(wrong) + "\", allowed"));
    CHECK(faults("lockdown = maybe\n") != "none");
}

TEST_CASE("a file that is not there is an empty one only where nobody asked for it") {
    CHECK(load_policy("/nowhere/service.toml", true).has_value());
    const auto missing = load_policy("/nowhere/service.toml", false);
    REQUIRE(!missing.has_value());
    CHECK(missing.error().fact("errno") == "ENOENT");
}

}  // namespace
}  // namespace causeway::service
