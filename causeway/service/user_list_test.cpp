#include "causeway/service/user_list.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace causeway::service {
namespace {

using Ranges = std::vector<device::UserRange>;

TEST_CASE("users are names, numbers and ranges, put together into as few as can be") {
    const auto ranges = user_ranges({"root", "1000-1999", "2000", "1", "5000-5000"}, "users");
    REQUIRE(ranges.has_value());
    CHECK(*ranges == Ranges{{0, 1}, {1000, 2000}, {5000, 5000}});
    CHECK(user_ranges({}, "users").value().empty());
}

TEST_CASE("who is not there is named by place, and so are too many ranges") {
    const auto unknown = user_ranges({"root", "nobody-of-that-name"}, "users");
    REQUIRE(!unknown.has_value());
    CHECK(unknown.error().code == Code(Service::INVALID_PARAMETER_VALUE));
    CHECK(unknown.error().fact("field") == "users[1]");
    std::vector<std::string> scattered;
    for (int i = 0; i < 130; i += 2) scattered.push_back(std::to_string(5000 + i));
    const auto many = user_ranges(scattered, "users");
    REQUIRE(!many.has_value());
    CHECK(many.error().fact("value") == "65 ranges");
}

TEST_CASE("what is no range is a name or nothing") {
    CHECK(parse_user_range("4294967294").value() == device::UserRange{4294967294, 4294967294});
    for (const char* text :
         {"4294967295", "2000-1000", "-1", "1-", "1-2-3", "alice", "www-data", ""})
        CHECK(!parse_user_range(text).has_value());
    CHECK(is_user("www-data"));
    for (const char* text : {"", "-x", "0x", "2000-1000", "a b"}) CHECK(!is_user(text));
}

}  // namespace
}  // namespace causeway::service
