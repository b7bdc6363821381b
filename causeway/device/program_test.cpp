#include "causeway/device/program.h"

#include "causeway/base/clock.h"

#include <doctest/doctest.h>

namespace causeway::device {
namespace {

using namespace std::chrono_literals;

Result<void> shell(const char* script, std::string_view input = {},
                   std::chrono::milliseconds timeout = 10s) {
    return run_program({"/bin/sh", "-c", script}, input, timeout);
}

TEST_CASE("a program gets its input whole and a plain environment") {
    const std::string input(200000, 'x');
    CHECK(shell("test $(wc -c) -eq 200000", input).has_value());
    CHECK(shell("test \"$LC_ALL\" = C && test -z \"$HOME\"").has_value());
}

TEST_CASE("a program that fails is named with its status and its words") {
    const auto ended = shell("echo 'cannot write' >&2; exit 3");
    REQUIRE_FALSE(ended.has_value());
    CHECK(ended.error().code == Code::raw(Domain::process, 3));
    CHECK(ended.error().detail == "/bin/sh ended with status 3");
    CHECK(ended.error().fact("output") == "cannot write");

    const auto killed = shell("kill -TERM $$");
    REQUIRE_FALSE(killed.has_value());
    CHECK(killed.error().code == Code::raw(Domain::process, -15));
}

TEST_CASE("a program that does not end is ended") {
    const auto start = Clock::now();
    const auto ended = shell("exec sleep 60", {}, 50ms);
    REQUIRE_FALSE(ended.has_value());
    CHECK(ended.error().fact("errno") == "ETIMEDOUT");
    CHECK(Clock::now() - start < 5s);
}

TEST_CASE("a program that is not there is an errno") {
    const auto ended = run_program({"/nowhere/program"}, {}, 1s);
    REQUIRE_FALSE(ended.has_value());
    CHECK(ended.error().fact("errno") == "ENOENT");
    CHECK(ended.error().fact("program") == "/nowhere/program");
}

}  // namespace
}  // namespace causeway::device
