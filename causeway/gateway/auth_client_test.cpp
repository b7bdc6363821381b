// The real causeway-auth, started over a socketpair and asked, killed, stopped.

#include "causeway/gateway/auth_client.h"

#include "causeway/base/file.h"
#include "causeway/gateway/auth_service.h"
#include "causeway/gateway/password.h"
#include "causeway/gateway/reasons.h"
#include "causeway/gateway/users.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace causeway::gateway {
namespace {

using namespace std::chrono_literals;

/// The program is built beside the tests.
std::string auth_program() {
    return std::filesystem::read_symlink("/proc/self/exe").parent_path() / "causeway-auth";
}

/// A users file with alice (password "right"), bob (the same, locked) and carol (certificate).
struct Fixture {
    std::string folder;
    std::string users_file;
    EventLoop loop;
    std::unique_ptr<AuthClient> client;

    Fixture() {
        char name[] = "/tmp/causeway_auth_XXXXXX";
        folder = mkdtemp(name);
        users_file = folder + "/users";
        const Secret hash = *hash_password(Secret("right"));
        REQUIRE(change_users_file(users_file, [&](Users& users) -> Result<void> {
            REQUIRE(users.add({"alice", {"staff", "admins"}, false, hash}));
            REQUIRE(users.add({"bob", {}, true, hash}));
            return users.add({"carol", {"staff"}, false, Secret()});
        }));
    }
    ~Fixture() {
        client.reset();
        std::filesystem::remove_all(folder);
    }

    Result<void> start(std::size_t threads = 2, std::size_t queue = 512) {
        client = std::make_unique<AuthClient>(
            loop, AuthSettings{auth_program(), users_file, threads, queue});
        return client->start();
    }

    /// Runs the loop until `done` holds, 20 s at most.
    template <typename Done>
    bool run_until(Done done) {
        const Instant patience_ends = Clock::now() + 20s;
        EventLoop::Timer timer;
        std::function<void()> look = [&] {
            if (done() || Clock::now() > patience_ends) return loop.stop();
            timer = loop.at(Clock::now() + 5ms, [&] { look(); });
        };
        look();
        loop.run();
        return done();
    }

    std::string outcome(Result<Account> account) {
        if (account) return "let in " + account->user;
        const ReasonRow* reason = reason_of(account.error());
        return reason ? std::string(reason->name) : account.error().detail;
    }

    std::string check(const std::string& user, const std::string& password) {
        std::optional<std::string> answer;
        client->check_password(user, Secret(password), [&](Result<Account> account) {
            answer = outcome(std::move(account));
        });
        run_until([&] { return answer.has_value(); });
        return answer.value_or("no answer");
    }

    std::string look_up(const std::string& user) {
        std::optional<std::string> answer;
        client->look_up(user,
                        [&](Result<Account> account) { answer = outcome(std::move(account)); });
        run_until([&] { return answer.has_value(); });
        return answer.value_or("no answer");
    }
};

TEST_CASE("the right password lets in, and every other outcome has its own reason") {
    Fixture at;
    REQUIRE(at.start());
    CHECK(at.check("alice", "right") == "let in alice");
    CHECK(at.check("alice", "wrong") == "wrong-password");
    CHECK(at.check("nobody", "right") == "wrong-password");
    CHECK(at.check("bob", "wrong") == "wrong-password");
    CHECK(at.check("bob", "right") == "user-locked");
    CHECK(at.check("carol", "") == "wrong-password");
    CHECK(at.check("alice", std::string(100'000, 'x')) == "wrong-password");
    CHECK(at.check(std::string("alice\0", 6), "right") == "wrong-password");
    CHECK(at.check("al\xffice", "right") == "wrong-password");
}

TEST_CASE("a user with a certificate is looked up without a password") {
    Fixture at;
    REQUIRE(at.start());
    std::vector<std::string> groups;
    at.client->look_up("carol", [&](Result<Account> account) {
        REQUIRE(account);
        groups = account->groups;
    });
    CHECK(at.run_until([&] { return !groups.empty(); }));
    CHECK(groups == std::vector<std::string>{"staff"});
    CHECK(at.look_up("bob") == "user-locked");
    CHECK(at.look_up("nobody") == "certificate-user-unknown");
}

TEST_CASE("a look-up does not wait for the hashes of others") {
    Fixture at;
    REQUIRE(at.start(1));
    int hashes = 0;
    for (int i = 0; i < 30; ++i)
        at.client->check_password("alice", Secret("wrong"), [&](Result<Account>) { ++hashes; });
    int hashes_before_look_up = -1;
    at.client->look_up("carol", [&](Result<Account>) { hashes_before_look_up = hashes; });
    REQUIRE(at.run_until([&] { return hashes == 30; }));
    CHECK(hashes_before_look_up >= 0);
    CHECK(hashes_before_look_up < 15);
}

TEST_CASE("more checks than the queue holds are refused at once, the others are answered") {
    Fixture at;
    REQUIRE(at.start(2, 10));
    std::vector<std::string> outcomes;
    for (int i = 0; i < 25; ++i)
        at.client->check_password("alice", Secret("right"), [&](Result<Account> account) {
            outcomes.push_back(at.outcome(std::move(account)));
        });
    REQUIRE(at.run_until([&] { return outcomes.size() == 25; }));
    CHECK(std::count(outcomes.begin(), outcomes.end(), "password-checks-busy") == 15);
    CHECK(std::count(outcomes.begin(), outcomes.end(), "let in alice") == 10);
}

TEST_CASE("when the process is killed, who waits is told so, and the next check works again") {
    Fixture at;
    REQUIRE(at.start(1));
    const int first = at.client->process();
    std::vector<Error> failures;
    for (int i = 0; i < 20; ++i)
        at.client->check_password("alice", Secret("right"), [&](Result<Account> account) {
            if (account) return;
            failures.push_back(account.error());
        });
    // The checks reach the process first.
    at.run_until([&, calls = 0]() mutable { return ++calls > 2; });
    REQUIRE(kill(first, SIGKILL) == 0);
    REQUIRE(at.run_until([&] { return at.client->deaths() == 1 && at.client->process() > 0; }));

    REQUIRE_FALSE(failures.empty());
    const Error& failure = failures.front();
    CHECK(reason_of(failure)->reason == Reason::password_check_failed);
    CHECK(failure.find(Vpn::pluginFailed));
    CHECK(failure.find(Code::killed(SIGKILL)));
    CHECK(at.client->process() != first);
    CHECK(at.check("alice", "right") == "let in alice");
}

TEST_CASE("a process that dies after the gateway gave up root starts again with the same users") {
    constexpr uid_t nobody = 65534;
    if (geteuid() != 0) return;  // there is no root to give up
    Fixture at;
    REQUIRE(at.start());
    if (seteuid(nobody) != 0) return;  // a user namespace without other users
    const bool may_start = eaccess(auth_program().c_str(), X_OK) == 0;
    if (may_start) {
        CHECK_FALSE(read_file(at.users_file));
        kill(at.client->process(), SIGKILL);
        CHECK(at.run_until([&] { return at.client->deaths() == 1 && at.client->process() > 0; }));
        CHECK(at.check("alice", "right") == "let in alice");

        // The file itself cannot be read any more, and a reload says so.
        std::optional<Result<void>> outcome;
        at.client->reload(at.folder + "/others",
                          [&](Result<void> loaded) { outcome = std::move(loaded); });
        CHECK(at.run_until([&] { return outcome.has_value(); }));
        CHECK(outcome->error().find(Code::raw(Domain::system, EACCES)));
    }
    REQUIRE(seteuid(0) == 0);
}

TEST_CASE("a reload reads the file again, and a broken one leaves the users as they were") {
    Fixture at;
    REQUIRE(at.start());
    const auto reload = [&] {
        std::optional<Result<void>> outcome;
        at.client->reload(at.users_file, [&](Result<void> loaded) { outcome = std::move(loaded); });
        REQUIRE(at.run_until([&] { return outcome.has_value(); }));
        return std::move(*outcome);
    };
    REQUIRE(change_users_file(at.users_file, [](Users& users) { return users.remove("carol"); }));
    CHECK(at.look_up("carol") == "let in carol");
    CHECK(reload());
    CHECK(at.look_up("carol") == "certificate-user-unknown");

    REQUIRE(write_file_atomically(at.users_file, "nonsense\n"));
    const auto refused = reload();
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Code(Vpn::configurationFailed));
    CHECK(refused.error().detail.find(at.users_file + ":1: ") == 0);
    CHECK(at.check("alice", "right") == "let in alice");
}

TEST_CASE("a start that cannot succeed says why") {
    Fixture at;
    std::filesystem::remove(at.users_file);
    const auto no_file = at.start();
    REQUIRE_FALSE(no_file);
    CHECK(no_file.error().code == Code(Vpn::configurationFailed));
    CHECK(no_file.error().find(Code::raw(Domain::system, ENOENT)));

    AuthClient missing(at.loop, {"/nowhere/causeway-auth", at.users_file, 1, 1});
    const auto no_program = missing.start();
    REQUIRE_FALSE(no_program);
    CHECK(no_program.error().code == Code(Vpn::pluginFailed));
    CHECK(no_program.error().find(Code::raw(Domain::system, ENOENT)));

    AuthClient wrong(at.loop, {"/bin/false", at.users_file, 1, 1});
    const auto ended = wrong.start();
    REQUIRE_FALSE(ended);
    CHECK(ended.error().find(Code::exited(1)));
}

TEST_CASE("the process hides its memory, has no core file and nothing secret in its arguments") {
    Fixture at;
    REQUIRE(at.start());
    CHECK(at.check("alice", "right") == "let in alice");
    const std::string folder = "/proc/" + std::to_string(at.client->process());
    const std::string status = *read_file(folder + "/status");
    CHECK(status.find("NoNewPrivs:\t1") != std::string::npos);
    CHECK(status.find("Seccomp:\t2") != std::string::npos);
    CHECK(status.find("CapEff:\t0000000000000000") != std::string::npos);
    CHECK(read_file(folder + "/limits")->find("Max core file size        0                    0") !=
          std::string::npos);
    const std::string arguments = *read_file(folder + "/cmdline");
    CHECK(arguments.find("right") == std::string::npos);
    CHECK(arguments.find("$y$") == std::string::npos);
}

TEST_CASE("a client that goes away answers everybody first") {
    Fixture at;
    REQUIRE(at.start(1));
    int answers = 0;
    for (int i = 0; i < 10; ++i)
        at.client->check_password("alice", Secret("right"), [&](Result<Account>) { ++answers; });
    at.run_until([&, calls = 0]() mutable { return ++calls > 2; });
    at.client.reset();
    CHECK(answers == 10);
}

}  // namespace
}  // namespace causeway::gateway
