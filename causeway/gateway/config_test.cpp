#include "causeway/gateway/config.h"

#include "causeway/base/file.h"
#include "causeway/base/text.h"
#include "causeway/gateway/config_keys.h"
#include "causeway/gateway/config_reader.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cerrno>
#include <set>
#include <string>
#include <vector>

namespace causeway::gateway {
namespace {

using namespace std::chrono_literals;

/// A configuration that says only what it must, with `more` behind its first lines.
std::string with(std::string_view more) {
    return fmt::format(
        "listen = [\"0.0.0.0:443\"]\n"
        "certificate = \"c.pem\"\n"
        "key = \"k.pem\"\n"
        "{}\n"
        "[authentication]\n"
        "users_file = \"users\"\n"
        "[network]\n"
        "ipv4_pool = \"10.99.0.0/24\"\n",
        more);
}

/// All faults of a text, each on a line.
std::string faults_of(std::string_view text) {
    const auto config = parse_config(text, "g.toml");
    if (config) return "sound";
    std::string all;
    for (const auto& [key, value] : config.error().evidence)
        if (key.starts_with("fault_")) all += value + "\n";
    return all;
}

TEST_CASE("a configuration that says only what it must has sane defaults for the rest") {
    const auto config = parse_config(with(""), "/etc/causeway/g.toml");
    REQUIRE(config);
    CHECK(config->listen == std::vector{*Endpoint::parse("0.0.0.0:443")});
    CHECK(config->certificate == "/etc/causeway/c.pem");
    CHECK(config->authentication.users_file == "/etc/causeway/users");
    CHECK(config->authentication.method == LoginMethod::password);
    CHECK(config->authentication.client_certificate() == ClientCertificate::none);
    CHECK(config->policy.minimum_version == tls::Version::tls_1_2);
    CHECK(config->session.dpd == 30s);
    CHECK(config->ban.failures == 10);
    CHECK_FALSE(config->session.client_to_client);
    REQUIRE(config->groups.size() == 1);
    CHECK_FALSE(config->offers_groups);
    REQUIRE(config->pools.size() == 1);
    CHECK(config->pools[0].gateway.text() == "10.99.0.1");
    CHECK(config->pools[0].first.text() == "10.99.0.2");
    CHECK(config->pools[0].last.text() == "10.99.0.254");
    CHECK(config->groups[0].pool4 == 0U);
    CHECK_FALSE(config->groups[0].pool6);
}

TEST_CASE("the example that is installed is sound and names every key there is") {
    const auto text = read_file("docs/gateway.toml");
    REQUIRE(text);
    const auto config = parse_config(*text, "docs/gateway.toml");
    REQUIRE_MESSAGE(config, faults_of(*text));
    CHECK(config->groups.size() == 2);
    CHECK(config->groups[1].sessions_per_user == 1);
    CHECK(config->groups[0].sessions_per_user == 3);
    CHECK(config->groups[1].idle_timeout == 1800s);
    CHECK(config->pools.size() == 4);

    std::set<std::string> named;
    std::string section;
    for (auto line : split(*text, '\n')) {
        if (line.starts_with("[["))
            section = line.substr(2, line.find(']') - 2);
        else if (line.starts_with("["))
            section = line.substr(1, line.find(']') - 1);
        if (line.starts_with('#')) line.remove_prefix(1);
        const auto equals = line.find(" = ");
        if (equals != std::string_view::npos)
            named.insert(fmt::format("{}/{}", section, line.substr(0, equals)));
    }
    for (const ConfigKey& key : config_keys()) {
        CAPTURE(key.section);
        CAPTURE(key.name);
        CHECK(named.contains(fmt::format("{}/{}", key.section, key.name)));
    }
}

TEST_CASE("the example with its comments taken away is sound too, and shows the true defaults") {
    std::string text;
    std::string section;
    const std::string example = *read_file("docs/gateway.toml");
    for (const auto line : split(example, '\n')) {
        const bool is_default = line.starts_with('#') && line.find(" = ") != line.npos &&
                                line.find(' ') == line.find(" = ");
        text += std::string(is_default ? line.substr(1) : line) + "\n";
        if (line.starts_with('[')) section = line.substr(1, line.find(']') - 1);
        if (!is_default) continue;
        const auto name = line.substr(1, line.find(" = ") - 1);
        const ConfigKey* key =
            program::find_key(config_keys(), section.starts_with('[') ? "group" : section, name);
        CAPTURE(line);
        REQUIRE(key);
        // Keys without a default of their own are shown with an example.
        const std::string_view value = line.substr(line.find(" = ") + 3);
        if (key->kind != KeyKind::text) CHECK(value == key->standard);
    }
    CHECK_MESSAGE(parse_config(text, "docs/gateway.toml"), faults_of(text));
}

TEST_CASE("every fault of a file is found at once, with line, column, value and what is allowed") {
    CHECK(faults_of("listen = [\"0.0.0.0:443\", \"nowhere\", 7]\n"
                    "certificate = \"c.pem\"\n"
                    "key = 7\n"
                    "thread = 2\n"
                    "[authentication]\n"
                    "method = \"pasword\"\n"
                    "users_file = \"users\"\n"
                    "[network]\n"
                    "ipv4_pool = \"10.99.0.0/31\"\n"
                    "mtu = 70000\n"
                    "[sesion]\n"
                    "dpd = 3\n") ==
          "g.toml:1:26: listen is \"nowhere\", allowed is ADDRESS:PORT such as 0.0.0.0:443 or "
          "[::]:443\n"
          "g.toml:1:37: listen is 7, allowed is text\n"
          "g.toml:3:7: key is 7, allowed is text of 1 to 4096 bytes\n"
          "g.toml:4:10: there is no key thread; the nearest is threads\n"
          "g.toml:6:10: authentication.method is \"pasword\", allowed is \"password\", "
          "\"certificate\", \"both\" or \"either\"\n"
          "g.toml:9:13: network.ipv4_pool is \"10.99.0.0/31\", allowed is a network such as "
          "10.99.0.0/24 (/8 to /30) or a range such as 10.99.0.10-10.99.0.99\n"
          "g.toml:10:7: network.mtu is 70000, allowed is 576 to 16383\n"
          "g.toml:11:1: there is no section [sesion]; the nearest is [session]\n");
}

TEST_CASE("the first fault is the sentence, and the code says whose it is") {
    const auto config = parse_config("", "g.toml");
    REQUIRE_FALSE(config);
    CHECK(config.error().code == Code(Vpn::configurationFailed));
    CHECK(config.error().detail ==
          "g.toml:1:1: listen is missing; such as listen = [\"0.0.0.0:443\", \"[::]:443\"]");
    CHECK(config.error().fact("file") == "g.toml");
    CHECK(config.error().fact("faults") == "4");
}

TEST_CASE("a text that is no TOML is refused with its place") {
    const auto faults = faults_of("listen = [\n\"0.0.0.0:443\"\nkey = = 3\n");
    CHECK(faults.starts_with("g.toml:3:"));
    CHECK(faults.find("this is not TOML") != std::string::npos);
}

TEST_CASE("what contradicts is refused where it stands") {
    const std::initializer_list<std::pair<std::string_view, std::string_view>> cases = {
        {"listen = [\"1.2.3.4:1\", \"1.2.3.4:1\"]", "listen names an address twice"},
        {"[tls]\nminimum_version = \"1.3\"\nmaximum_version = \"1.2\"",
         "tls.minimum_version is above tls.maximum_version"},
        {"default_group = \"nobody\"", "default_group is \"nobody\", allowed is one of default"},
        {"[[group]]\nname = \"a\"\n[[group]]\nname = \"b\"\nlabel = \"a\"",
         "group.label \"a\" is the name or label of another group"},
        {"[[group]]\nlabel = \"a\"", "group.name is missing; every [[group]] has one"},
        {"[[group]]\nname = \"a b\"", "group.name is \"a b\", allowed is 1 to 32 letters"},
        {"[[group]]\nname = \"a\"\nipv4_pool = \"10.99.0.128-10.99.1.9\"",
         "group.ipv4_pool overlaps the pool in 10.99.0.0/24"},
        {"[[group]]\nname = \"a\"\nipv6_pool = \"10.1.0.0/24\"", "group.ipv6_pool is"},
        {"[[group]]\nname = \"a\"\nipv6_pool = \"fd00::1/64\"", "group.ipv6_pool is"},
        {"[[group]]\nname = \"a\"\ninclude = [\"10.1.2.3/8\"]",
         "group.include is \"10.1.2.3/8\", allowed is a network"},
        {"[[group]]\nname = \"a\"\ndns = [\"example.com\"]",
         "group.dns is \"example.com\", allowed is an IPv4 or IPv6 address"},
        {"interface = \"a/b\"", "interface is \"a/b\", allowed is"},
        {"log = \"sometimes\"", "log is \"sometimes\", allowed is \"stderr\", \"journal\""},
        {"banner = \"a\\u0007\"", "banner is \"a\\x07\", allowed is text of 0 to 2000 bytes"},
        {"banner = 2026-11-21", "banner is a date, allowed is text"},
        {"threads = 1.5", "threads is a fraction, allowed is 0 to 256"},
    };
    for (const auto& [more, words] : cases) {
        std::string text = with(more);
        // A key that is there already is replaced.
        if (more.starts_with("listen")) text.erase(0, text.find('\n') + 1);
        CAPTURE(text);
        const auto faults = faults_of(text);
        CAPTURE(faults);
        CHECK(faults.find(words) != std::string::npos);
    }
}

TEST_CASE("the login method decides what has to be there and what has no use") {
    const auto faults = [](std::string_view authentication) {
        return faults_of(
            fmt::format("listen = [\"0.0.0.0:443\"]\ncertificate = \"c\"\nkey = \"k\"\n"
                        "[network]\nipv4_pool = \"10.0.0.0/8\"\n[authentication]\n{}",
                        authentication));
    };
    CHECK(faults("method = \"certificate\"\nclient_ca = \"ca\"\n") == "sound");
    CHECK(faults("method = \"certificate\"\n") ==
          "g.toml:6:1: authentication.client_ca is missing; the method asks for client "
          "certificates\n");
    CHECK(faults("method = \"both\"\nclient_ca = \"ca\"\n") ==
          "g.toml:6:1: authentication.users_file is missing; the method asks for passwords\n");
    CHECK(faults("users_file = \"u\"\ncrl_file = \"crl\"\n") ==
          "g.toml:8:12: authentication.crl_file has no use with method = \"password\", which asks "
          "for no client certificate\n");
    CHECK(faults("users_file = \"u\"\nclient_ca = \"a\"\nmethod = \"either\"\nusername_from = "
                 "\"Nonsense\"\n")
              .find("authentication.username_from is \"Nonsense\", allowed is an attribute") !=
          std::string::npos);
}

TEST_CASE("groups have what they do not say from the sections above, and share a pool") {
    const auto config =
        parse_config(with("[[group]]\nname = \"a\"\n[[group]]\nname = \"b\"\nlabel = \"Bees\"\n"
                          "ipv4_pool = \"10.1.0.0/16\"\ninclude = []\n"
                          "[session]\nidle_timeout = 60\n[limits]\nsessions_per_user = 2\n") +
                         "include = [\"10.0.0.0/8\"]\n",
                     "g.toml");
    REQUIRE(config);
    REQUIRE(config->groups.size() == 2);
    CHECK(config->offers_groups);
    CHECK(config->groups[0].pool4 == 0U);
    CHECK(config->groups[1].pool4 == 1U);
    CHECK(config->groups[0].include.size() == 1);
    CHECK(config->groups[1].include.empty());
    CHECK(config->groups[1].idle_timeout == 60s);
    CHECK(config->groups[1].sessions_per_user == 2);
    CHECK(config->group("Bees") == &config->groups[1]);
    CHECK(config->group("b") == &config->groups[1]);
    CHECK_FALSE(config->group("bees"));
}

TEST_CASE("pools are networks or ranges, and the gateway takes the first address") {
    const auto range = parse_pool("10.99.0.10-10.99.0.99", Family::ipv4);
    REQUIRE(range);
    CHECK(range->network.text() == "10.99.0.0/25");
    CHECK(range->gateway.text() == "10.99.0.10");
    CHECK(range->first.text() == "10.99.0.11");
    CHECK(range->last.text() == "10.99.0.99");
    const auto six = parse_pool("fd00:99::/64", Family::ipv6);
    REQUIRE(six);
    CHECK(six->gateway.text() == "fd00:99::1");
    CHECK(six->last.text() == "fd00:99::ffff:ffff:ffff:ffff");
    for (const char* text :
         {"", "10.0.0.0", "10.0.0.0/7", "10.0.0.0/31", "10.0.0.1/24", "10.0.0.9-10.0.0.9",
          "10.0.0.9-10.0.0.1", "10.0.0.1-fd00::1", "-", "fd00::/64"})
        CHECK_FALSE(parse_pool(text, Family::ipv4));
}

TEST_CASE("an mtu too small for IPv6 is refused when there is an IPv6 pool") {
    CHECK(faults_of(with("") + "mtu = 1000\n") == "sound");
    CHECK(faults_of(with("") + "mtu = 1000\nipv6_pool = \"fd00::/64\"\n")
              .find("network.mtu is 1000, allowed with an ipv6_pool are 1280 to 16383") !=
          std::string::npos);
}

TEST_CASE("a file that cannot be read says which and why") {
    const auto config = load_config("/nowhere/gateway.toml");
    REQUIRE_FALSE(config);
    CHECK(config.error().detail == "the configuration file /nowhere/gateway.toml cannot be read");
    CHECK(config.error().find(Code::raw(Domain::system, ENOENT)));
}

TEST_CASE("a table's name that does not begin like one is refused with its place") {
    const auto refused = parse_config("# a comment\n[/imits]\n", "file");
    REQUIRE_FALSE(refused);
    CHECK(refused.error().detail.starts_with("file:2:2: "));
}

TEST_CASE("letters outside ASCII may stand in texts and comments, and are refused elsewhere") {
    const auto refused = parse_config("# \xc3\xa9\nbanner = \"\xd2\x88\"\n\xd2\x88 = 1\n", "file");
    REQUIRE_FALSE(refused);
    CHECK(refused.error().detail.find("file:3:1") != std::string::npos);
    CHECK(refused.error().detail.find("only ASCII") != std::string::npos);
    CHECK(faults_of("\xEF\xBB\xBF" + with("")) == "sound");
}

}  // namespace
}  // namespace causeway::gateway
