#include "causeway/service/lockdown_record.h"

#include "causeway/base/file.h"

#include <doctest/doctest.h>

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace causeway::service {
namespace {

const LockdownPlace here{"boot-1", "net:[1]"};

LockdownRecord record() {
    return {.always_on = true,
            .lockdown = false,
            .held = {{.session = 0x9f86d081884c7d65,
                      .owner = 1000,
                      .vpn_id = "office",
                      .since = WallTime(std::chrono::milliseconds(1'700'000'000'000)),
                      .lan = {*Prefix::parse("192.168.0.0/16"), *Prefix::parse("fd00::/8")},
                      .users = {{1000, 1000}, {2000, 2999}},
                      .is_promised = true}}};
}

TEST_CASE("what stays closed is read back as it was written") {
    const auto read = parse_lockdown_record(text_of(record(), here), here);
    REQUIRE(read.has_value());
    CHECK(*read == record());
}

TEST_CASE("locks of sessions are forgotten with a restart or elsewhere, the switches are not") {
    for (const auto& place :
         {LockdownPlace{"boot-2", "net:[1]"}, LockdownPlace{"boot-1", "net:[2]"}}) {
        const auto read = parse_lockdown_record(text_of(record(), here), place);
        REQUIRE(read.has_value());
        CHECK(read->held.empty());
        CHECK(read->always_on);
    }
}

TEST_CASE("a record that is cut anywhere, or says something else, is none") {
    const std::string text = text_of(record(), here);
    for (std::size_t size = 0; size < text.size(); ++size)
        CHECK(!parse_lockdown_record(text.substr(0, size), here).has_value());
    for (const char* wrong : {"[]", "{}", R"({"alwaysOn":true,"held":[]})",
                              R"({"alwaysOn":1,"lockdown":true,"held":[]})",
                              R"({"alwaysOn":true,"lockdown":true,"held":[7]})",
                              R"({"alwaysOn":true,"lockdown":true,"held":[],"more":1})"}) {
        const auto read = parse_lockdown_record(wrong, here);
        REQUIRE(!read.has_value());
        CHECK(read.error().fact("errno") == "EBADMSG");
    }
}

TEST_CASE("where there is no record nothing is closed; one that cannot be read is named") {
    std::string folder = "/tmp/causeway-record-XXXXXX";
    REQUIRE(mkdtemp(folder.data()) != nullptr);
    CHECK(load_lockdown_record(folder).value() == LockdownRecord{});
    REQUIRE(save_lockdown_record(folder, record()).has_value());
    CHECK(load_lockdown_record(folder).value() == record());
    REQUIRE(write_file_atomically(folder + "/lockdown.json", "{\"alwaysOn\":").has_value());
    const auto broken = load_lockdown_record(folder);
    REQUIRE(!broken.has_value());
    CHECK(broken.error().fact("file") == folder + "/lockdown.json");
    std::filesystem::remove_all(folder);
    CHECK(!save_lockdown_record(folder, {}).has_value());
}

}  // namespace
}  // namespace causeway::service
