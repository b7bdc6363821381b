#include "causeway/connection/profile.h"

#include <doctest/doctest.h>

#include <functional>

namespace causeway::connection {
namespace {

ProfileOptions good() {
    ProfileOptions options;
    options.gateway = "vpn.example.com";
    return options;
}

}  // namespace

TEST_CASE("a gateway alone is a profile, with the usual settings") {
    const auto profile = make_profile(good());
    REQUIRE(profile);
    CHECK(profile->gateway.host == "vpn.example.com");
    CHECK(profile->gateway.port == 443);
    CHECK(profile->timeout == std::chrono::seconds(60));
    CHECK(profile->use_routes);
    CHECK(profile->use_dns);
    CHECK_FALSE(profile->once);
}

TEST_CASE("the key is in the certificate's file when no other is named") {
    auto options = good();
    options.certificate = "me.pem";
    CHECK(make_profile(options)->key_file == "me.pem");
    options.key = "me.key";
    CHECK(make_profile(options)->key_file == "me.key");
}

TEST_CASE("every option reaches the profile") {
    auto options = good();
    options.gateway = "https://[2001:db8::1]:8443/staff";
    options.user = "alice";
    options.password_fd = "7";
    options.answers = {"token=/run/token", "pin=/run/pin=2"};
    options.pins = {"pin-sha256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="};
    options.group = "staff";
    options.interface = "office";
    options.mtu = "1300";
    options.timeout = "10";
    options.no_routes = options.no_dns = options.once = options.no_datagrams = true;
    options.crypto = "evp";
    const auto profile = make_profile(options);
    REQUIRE(profile);
    CHECK(profile->gateway.group() == "staff");
    CHECK(profile->user == "alice");
    CHECK(profile->password_fd == 7);
    CHECK(profile->answer_files.at("pin") == "/run/pin=2");
    CHECK(profile->pins.size() == 1);
    CHECK(profile->interface == "office");
    CHECK(profile->mtu == 1300);
    CHECK(profile->timeout == std::chrono::seconds(10));
    CHECK_FALSE(profile->use_routes);
    CHECK_FALSE(profile->use_dns);
    CHECK(profile->once);
    CHECK_FALSE(profile->use_datagrams);
    CHECK(profile->crypto == datapath::CryptoBackend::evp);
}

TEST_CASE("each bad value is named with its option and what is allowed") {
    using Break = std::function<void(ProfileOptions&)>;
    const std::vector<std::pair<const char*, Break>> rows{
        {"GATEWAY", [](auto& o) { o.gateway = "http://vpn.example.com"; }},
        {"GATEWAY", [](auto& o) { o.gateway = "vpn.example.com:99999"; }},
        {"GATEWAY", [](auto& o) { o.gateway = ""; }},
        {"--user", [](auto& o) { o.user = ""; }},
        {"--group", [](auto& o) { o.group = std::string(300, 'x'); }},
        {"--password-file", [](auto& o) { o.password_file = ""; }},
        {"--password-fd", [](auto& o) { o.password_fd = "-1"; }},
        {"--password-fd", [](auto& o) { o.password_file = "a", o.password_fd = "3"; }},
        {"--answer", [](auto& o) { o.answers = {"token"}; }},
        {"--answer", [](auto& o) { o.answers = {"=file"}; }},
        {"--answer", [](auto& o) { o.answers = {"a=1", "a=2"}; }},
        {"--key", [](auto& o) { o.key = "me.key"; }},
        {"--key-password-file", [](auto& o) { o.key_password_file = "x"; }},
        {"--pin", [](auto& o) { o.pins = {"pin-sha256:short"}; }},
        {"--interface", [](auto& o) { o.interface = "a/b"; }},
        {"--interface", [](auto& o) { o.interface = "sixteen-letters!"; }},
        {"--mtu", [](auto& o) { o.mtu = "575"; }},
        {"--crypto", [](auto& o) { o.crypto = "rot13"; }},
        {"--mtu", [](auto& o) { o.mtu = "1400 "; }},
        {"--timeout", [](auto& o) { o.timeout = "0"; }},
        {"--timeout", [](auto& o) { o.timeout = "soon"; }},
    };
    for (const auto& [option, change] : rows) {
        auto options = good();
        change(options);
        const auto profile = make_profile(options);
        CAPTURE(option);
        REQUIRE_FALSE(profile);
        const auto& error = profile.error();
        CHECK(error.code == Code(Vpn::configurationFailed));
        CHECK(error.find(Code(Service::INVALID_PARAMETER_VALUE)) != nullptr);
        CHECK(error.fact("option") == option);
        CHECK_FALSE(error.fact("allowed").empty());
        CHECK(error.detail.find(option) == 0);
    }
}

TEST_CASE("several faults are all listed") {
    auto options = good();
    options.mtu = "big";
    options.timeout = "long";
    const auto profile = make_profile(options);
    REQUIRE_FALSE(profile);
    CHECK(profile.error().fact("option") == "--mtu");
    CHECK(profile.error().fact("faults").find("--timeout") != std::string_view::npos);
}

}  // namespace causeway::connection
