#include "causeway/device/dns_file.h"

#include "causeway/base/file.h"
#include "causeway/base/random.h"
#include "causeway/device/resolver_record.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

namespace causeway::device {
namespace {

namespace fs = std::filesystem;

constexpr const char* own = "nameserver 192.0.2.53\nsearch example.org\noptions ndots:2\n";

/// A resolver's file in a folder of its own.
struct Scene {
    std::string folder = "/tmp/causeway-dns-test-" + hex(random_bytes(8));
    ResolverFile file{folder + "/resolv.conf", folder + "/state"};

    Scene() {
        fs::create_directories(file.state_folder);
        REQUIRE(write_file_atomically(file.path, own, 0640).has_value());
    }
    ~Scene() { fs::remove_all(folder); }

    std::string text() const { return read_file(file.path).value_or("(none)"); }
    /// The names in the folder, but for the state folder.
    std::size_t files() const {
        return static_cast<std::size_t>(
                   std::distance(fs::directory_iterator(folder), fs::directory_iterator())) -
               1;
    }
};

DnsSettings servers(std::initializer_list<const char*> addresses) {
    DnsSettings settings;
    for (const auto* address : addresses) settings.servers.push_back(*IpAddress::parse(address));
    return settings;
}

bool has(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

TEST_CASE("the servers replace the old ones, the library's options stay") {
    const Scene scene;
    auto settings = servers({"10.0.0.1", "fd00::1"});
    settings.search_domains = {"corp.example", "example.net"};
    REQUIRE(push_servers(scene.file, "a", settings).has_value());
    CHECK(scene.text() ==
          "# Written by Causeway. What was here comes back when the tunnel ends.\n"
          "nameserver 10.0.0.1\nnameserver fd00::1\nsearch corp.example example.net\n"
          "options ndots:2\n");
}

TEST_CASE("the last to go brings back the file as it was, with its mode, and no other file stays") {
    const Scene scene;
    REQUIRE(push_servers(scene.file, "a", servers({"10.0.0.1"})).has_value());
    REQUIRE(pop_servers(scene.file, "a").has_value());
    CHECK(scene.text() == own);
    CHECK(scene.files() == 1);
    struct stat facts{};
    REQUIRE(stat(scene.file.path.c_str(), &facts) == 0);
    CHECK((facts.st_mode & 0777) == 0640);
}

TEST_CASE("tunnels stack in any order of leaving") {
    for (const bool first_leaves_first : {true, false}) {
        const Scene scene;
        REQUIRE(push_servers(scene.file, "a", servers({"10.0.0.1"})).has_value());
        REQUIRE(push_servers(scene.file, "b", servers({"10.0.0.2"})).has_value());
        CHECK(has(scene.text(), "10.0.0.2"));
        REQUIRE(pop_servers(scene.file, first_leaves_first ? "a" : "b").has_value());
        CHECK(has(scene.text(), first_leaves_first ? "10.0.0.2" : "10.0.0.1"));
        REQUIRE(pop_servers(scene.file, first_leaves_first ? "b" : "a").has_value());
        CHECK(scene.text() == own);
    }
}

TEST_CASE("what somebody else wrote meanwhile is newer and stays") {
    const Scene scene;
    REQUIRE(push_servers(scene.file, "a", servers({"10.0.0.1"})).has_value());
    REQUIRE(write_file_atomically(scene.file.path, "nameserver 203.0.113.1\n").has_value());
    REQUIRE(pop_servers(scene.file, "a").has_value());
    CHECK(scene.text() == "nameserver 203.0.113.1\n");
    CHECK(scene.files() == 1);
}

TEST_CASE("what somebody else wrote before a second tunnel comes back after both") {
    const Scene scene;
    REQUIRE(push_servers(scene.file, "a", servers({"10.0.0.1"})).has_value());
    REQUIRE(write_file_atomically(scene.file.path, "nameserver 203.0.113.1\n").has_value());
    REQUIRE(push_servers(scene.file, "b", servers({"10.0.0.2"})).has_value());
    REQUIRE(pop_servers(scene.file, "b").has_value());
    REQUIRE(pop_servers(scene.file, "a").has_value());
    CHECK(scene.text() == "nameserver 203.0.113.1\n");
}

TEST_CASE("a symbolic link stays one, and its target is what changes") {
    const Scene scene;
    const auto target = scene.folder + "/real.conf";
    fs::rename(scene.file.path, target);
    fs::create_symlink("real.conf", scene.file.path);
    REQUIRE(push_servers(scene.file, "a", servers({"10.0.0.1"})).has_value());
    CHECK(fs::is_symlink(scene.file.path));
    CHECK(has(read_file(target).value(), "10.0.0.1"));
    REQUIRE(pop_servers(scene.file, "a").has_value());
    CHECK(read_file(target).value() == own);
}

TEST_CASE("where there was no file there is none afterwards, behind a link too") {
    const Scene scene;
    fs::remove(scene.file.path);
    for (const bool behind_a_link : {false, true}) {
        if (behind_a_link) fs::create_symlink("not-there.conf", scene.file.path);
        REQUIRE(push_servers(scene.file, "a", servers({"10.0.0.1"})).has_value());
        CHECK(has(scene.text(), "10.0.0.1"));
        REQUIRE(pop_servers(scene.file, "a").has_value());
        CHECK_FALSE(fs::exists(scene.file.path));
    }
    CHECK(scene.files() == 1);
}

TEST_CASE("owners that died are swept away, the living stay") {
    const Scene scene;
    REQUIRE(push_servers(scene.file, "alive", servers({"10.0.0.1"})).has_value());
    REQUIRE(push_servers(scene.file, "dead", servers({"10.0.0.2"})).has_value());
    REQUIRE(sweep_servers(scene.file, [](const std::string& owner) {
                return owner == "alive";
            }).has_value());
    CHECK(has(scene.text(), "10.0.0.1"));
    REQUIRE(sweep_servers(scene.file, [](const std::string&) { return false; }).has_value());
    CHECK(scene.text() == own);
}

TEST_CASE("a file of ours whose record is lost is kept as what was there") {
    const Scene scene;
    REQUIRE(push_servers(scene.file, "a", servers({"10.0.0.1"})).has_value());
    fs::remove(scene.file.path + ".causeway");
    REQUIRE(push_servers(scene.file, "b", servers({"10.0.0.2"})).has_value());
    REQUIRE(pop_servers(scene.file, "b").has_value());
    CHECK(scene.text() == "nameserver 10.0.0.1\noptions ndots:2\n");
}

TEST_CASE("a folder in the file's place is refused with its errno and name") {
    const Scene scene;
    fs::remove(scene.file.path);
    fs::create_directory(scene.file.path);
    for (const auto& refused :
         {check_resolver_file(scene.file), push_servers(scene.file, "a", servers({"10.0.0.1"}))}) {
        REQUIRE_FALSE(refused.has_value());
        CHECK(refused.error().fact("errno") == "EISDIR");
        CHECK(refused.error().fact("file") == scene.file.path);
    }
}

TEST_CASE("a folder that is missing is found out before anything changes") {
    const Scene scene;
    const ResolverFile file{scene.folder + "/none/resolv.conf", scene.file.state_folder};
    const auto checked = check_resolver_file(file);
    REQUIRE_FALSE(checked.has_value());
    CHECK(checked.error().fact("errno") == "ENOENT");
    CHECK(check_resolver_file(scene.file).has_value());
    CHECK(scene.files() == 1);
}

TEST_CASE("a record keeps bytes that are no text, and a broken one is not read") {
    const ResolverRecord record{Original{std::string("a\xff\0b", 4), 0600, 3, 4},
                                {{"owner", {"10.0.0.1"}, {"corp.example"}}}};
    CHECK(parse_record(text_of(record)) == record);
    CHECK(parse_record(text_of({})) == ResolverRecord{});
    const auto whole = text_of(record);
    for (std::size_t size = 0; size + 2 < whole.size(); ++size)
        REQUIRE_FALSE(parse_record(std::string_view(whole).substr(0, size)).has_value());
}

}  // namespace
}  // namespace causeway::device
