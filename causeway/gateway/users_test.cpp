#include "causeway/gateway/users.h"

#include "causeway/base/file.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

namespace causeway::gateway {
namespace {

/// A folder of this test, removed at its end.
struct Folder {
    std::string path;
    Folder() {
        char name[] = "/tmp/causeway_users_XXXXXX";
        path = mkdtemp(name);
    }
    ~Folder() { std::filesystem::remove_all(path); }
    std::string file(const std::string& name) const { return path + "/" + name; }
};

constexpr std::string_view sample =
    "# causeway users, version 1\n"
    "alice:staff,admins:active:$y$j9T$salt$hash\n"
    "\n"
    "# on leave\n"
    "bob::locked:$y$j9T$salt$hash2\n"
    "carol@example.com:staff:active:\n";

std::string refused(std::string_view text) {
    const auto users = Users::parse(text, "users");
    return users ? "accepted" : users.error().detail;
}

TEST_CASE("a users file is read and written back as it was, comments and all") {
    const auto users = Users::parse(sample, "users");
    REQUIRE(users);
    CHECK(users->size() == 3);
    REQUIRE(users->find("alice"));
    CHECK(users->find("alice")->groups == std::vector<std::string>{"staff", "admins"});
    CHECK_FALSE(users->find("alice")->locked);
    CHECK(users->find("bob")->locked);
    CHECK(users->find("bob")->groups.empty());
    CHECK(users->find("carol@example.com")->hash.empty());
    CHECK_FALSE(users->find("Alice"));
    CHECK(users->text().reveal() == sample);
}

TEST_CASE("a line that is no user is refused with its number and what is allowed") {
    CHECK(refused("alice") ==
          "users:1: a user's line has 4 fields between ':' (name, groups, state, hash), this one "
          "has 1");
    CHECK(refused("\n-x::active:\n") ==
          "users:2: \"-x\" is no user name; allowed are 1 to 64 letters, digits and \"._@+-\"");
    CHECK(refused("alice:a b:active:\n").starts_with("users:1: \"a b\" is no list of groups"));
    CHECK(refused("alice:,:active:\n").starts_with("users:1: \",\" is no list of groups"));
    CHECK(refused("alice::open:\n") ==
          "users:1: the state is \"open\", allowed are \"active\" and \"locked\"");
    CHECK(refused("alice::active:\nalice::active:\n") == "users:2: the user alice is there twice");
}

TEST_CASE("what stands in the place of a hash is never repeated in the words of a fault") {
    for (const std::string_view line : {"alice::active:secret word", "alice::active:*secret"}) {
        const auto users = Users::parse(line, "users");
        REQUIRE_FALSE(users);
        CHECK(users.error().detail.find("secret") == std::string::npos);
        CHECK(users.error().detail.find("no password hash") != std::string::npos);
    }
}

TEST_CASE("users are added, changed and removed by name") {
    Users users;
    REQUIRE(users.add({.name = "alice", .groups = {"staff"}, .locked = false, .hash = Secret()}));
    REQUIRE(users.add({.name = "bob", .groups = {}, .locked = false, .hash = Secret()}));
    REQUIRE(users.set_locked("bob", true));
    REQUIRE(users.set_hash("alice", Secret("$y$x")));
    REQUIRE(users.set_groups("bob", {"a", "b"}));
    REQUIRE(users.remove("alice"));
    CHECK(users.text().reveal() == "# causeway users, version 1\nbob:a,b:locked:\n");
    REQUIRE(users.find("bob"));
    CHECK(users.find("bob")->locked);

    CHECK(users.remove("alice").error().detail == "there is no user alice");
    CHECK(users.set_locked("zoe", true).error().detail == "there is no user zoe");
    CHECK(users.add({.name = "bob", .groups = {}, .locked = false, .hash = {}}).error().detail ==
          "there is a user bob already");
    CHECK_FALSE(users.add({.name = "a:b", .groups = {}, .locked = false, .hash = {}}));
    CHECK_FALSE(users.set_groups("bob", {"x,y"}));
}

TEST_CASE("a file that cannot be read says which and why") {
    const auto users = Users::load("/nowhere/users");
    REQUIRE_FALSE(users);
    CHECK(users.error().code == Code(Vpn::configurationFailed));
    CHECK(users.error().find(Code::raw(Domain::system, ENOENT)));
    CHECK(users.error().detail == "the users file /nowhere/users cannot be read");
}

TEST_CASE("a change makes the file, for its owner alone, and leaves nothing beside it") {
    const Folder folder;
    const auto path = folder.file("users");
    REQUIRE(change_users_file(path, [](Users& users) {
        return users.add({.name = "alice", .groups = {}, .locked = false, .hash = Secret("$y$1")});
    }));
    struct stat status{};
    REQUIRE(stat(path.c_str(), &status) == 0);
    CHECK((status.st_mode & 07777) == 0600);
    CHECK(std::distance(std::filesystem::directory_iterator(folder.path), {}) == 1);
    CHECK(Users::load(path)->find("alice"));
}

TEST_CASE("a change that fails leaves the file as it was") {
    const Folder folder;
    const auto path = folder.file("users");
    REQUIRE(write_file_atomically(path, sample));
    const auto changed = change_users_file(path, [](Users& users) {
        REQUIRE(users.remove("alice"));
        return users.remove("nobody");
    });
    CHECK_FALSE(changed);
    CHECK(*read_file(path) == sample);
}

TEST_CASE("a broken file is not overwritten by a change") {
    const Folder folder;
    const auto path = folder.file("users");
    REQUIRE(write_file_atomically(path, "broken\n"));
    CHECK_FALSE(change_users_file(path, [](Users&) -> Result<void> { return {}; }));
    CHECK(*read_file(path) == "broken\n");
}

TEST_CASE("changes from several threads at once all arrive") {
    const Folder folder;
    const auto path = folder.file("users");
    std::atomic<int> changed = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i)
        threads.emplace_back([&, i] {
            const auto done = change_users_file(path, [&](Users& users) {
                return users.add({.name = "user" + std::to_string(i),
                                  .groups = {},
                                  .locked = false,
                                  .hash = {}});
            });
            if (done) ++changed;
        });
    for (auto& thread : threads) thread.join();
    CHECK(changed == 8);
    CHECK(Users::load(path)->size() == 8);
}

TEST_CASE("a symbolic link to the file stays one") {
    const Folder folder;
    REQUIRE(write_file_atomically(folder.file("real"), sample));
    std::filesystem::create_symlink("real", folder.file("users"));
    REQUIRE(
        change_users_file(folder.file("users"), [](Users& users) { return users.remove("bob"); }));
    CHECK(std::filesystem::is_symlink(folder.file("users")));
    CHECK_FALSE(Users::load(folder.file("real"))->find("bob"));
}

}  // namespace
}  // namespace causeway::gateway
