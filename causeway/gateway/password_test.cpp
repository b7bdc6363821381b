#include "causeway/gateway/password.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <string>
#include <vector>

namespace causeway::gateway {
namespace {

User user_with(Secret hash, bool locked = false) {
    return {.name = "alice", .groups = {}, .locked = locked, .hash = std::move(hash)};
}

TEST_CASE("a hash is yescrypt, differs each time, and is accepted by its own password alone") {
    const Secret password("correct horse, 正しい馬");
    const auto first = hash_password(password);
    const auto second = hash_password(password);
    REQUIRE(first);
    REQUIRE(second);
    CHECK(first->reveal().starts_with("$y$"));
    CHECK(first->reveal() != second->reveal());

    const auto checker = PasswordChecker::create();
    REQUIRE(checker);
    const User user = user_with(*first);
    CHECK(*checker->check(&user, password) == PasswordVerdict::accepted);
    CHECK(*checker->check(&user, Secret("correct horse")) == PasswordVerdict::refused);
    CHECK(*checker->check(&user, Secret("")) == PasswordVerdict::refused);
    CHECK(*checker->check(&user, Secret(std::string("correct\0horse", 13))) ==
          PasswordVerdict::refused);
    CHECK(*checker->check(&user, Secret(std::string(100'000, 'x'))) == PasswordVerdict::refused);
}

TEST_CASE("a hash that another program made with crypt(5) is accepted too") {
    const auto checker = PasswordChecker::create();
    // sha512crypt, as `openssl passwd -6` makes it.
    const User user =
        user_with(Secret("$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnI"
                         "FNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1"));
    CHECK(*checker->check(&user, Secret("Hello world!")) == PasswordVerdict::accepted);
    CHECK(*checker->check(&user, Secret("Hello world?")) == PasswordVerdict::refused);
}

TEST_CASE("that a user is locked is only told after the right password") {
    const auto checker = PasswordChecker::create();
    const User user = user_with(*hash_password(Secret("right")), true);
    CHECK(*checker->check(&user, Secret("wrong")) == PasswordVerdict::refused);
    CHECK(*checker->check(&user, Secret("right")) == PasswordVerdict::locked);
}

TEST_CASE("a user without a hash has no password, not even the decoy's or an empty one") {
    const auto checker = PasswordChecker::create();
    const User user = user_with(Secret());
    for (const char* tried :
         {"", "-", "a password nobody has", "612070617373776f7264206e6f626f647920686173"})
        CHECK(*checker->check(&user, Secret(tried)) == PasswordVerdict::refused);
    CHECK(*checker->check(nullptr, Secret("612070617373776f7264206e6f626f647920686173")) ==
          PasswordVerdict::refused);
}

TEST_CASE("a hash of a method that libcrypt does not know is a failure, not a refusal") {
    const auto checker = PasswordChecker::create();
    const User user = user_with(Secret("$nosuch$abc"));
    const auto verdict = checker->check(&user, Secret("x"));
    REQUIRE_FALSE(verdict);
    CHECK(verdict.error().code == Code(Vpn::pluginFailed));
    CHECK(verdict.error().find(Code::raw(Domain::system, EINVAL)));
}

TEST_CASE("an unknown name, a wrong password and an impossible one cost the same work") {
    const auto checker = PasswordChecker::create();
    const User user = user_with(*hash_password(Secret("right")));
    const User without = user_with(Secret());
    // The least processor time of several: what else runs on the machine does not count.
    const auto processor_time = [] {
        timespec time{};
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
        return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
    };
    const auto cost = [&](const User* who, const std::string& password) {
        auto best = std::chrono::nanoseconds::max();
        for (int i = 0; i < 7; ++i) {
            const auto start = processor_time();
            REQUIRE(checker->check(who, Secret(password)));
            best = std::min<std::chrono::nanoseconds>(best, processor_time() - start);
        }
        return std::chrono::duration<double>(best).count();
    };
    const double right = cost(&user, "right");
    for (const double other : {cost(&user, "wrong"), cost(nullptr, "wrong"), cost(&without, "x"),
                               cost(&user, ""), cost(nullptr, std::string(5000, 'x'))}) {
        CHECK(other > 0.5 * right);
        CHECK(other < 2.0 * right);
    }
}

TEST_CASE("a new password has to be one that can be typed and hashed") {
    CHECK(check_new_password(Secret("x")));
    CHECK_FALSE(check_new_password(Secret("")));
    CHECK_FALSE(check_new_password(Secret("two\nlines")));
    CHECK_FALSE(check_new_password(Secret(std::string(512, 'x'))));
    CHECK(check_new_password(Secret(std::string(511, 'x'))));
}

}  // namespace
}  // namespace causeway::gateway
