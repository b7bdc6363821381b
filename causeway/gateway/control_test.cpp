#include "causeway/gateway/control.h"

#include "causeway/base/file.h"

#include <doctest/doctest.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <string>

namespace causeway::gateway {
namespace {

struct Folder {
    std::string path;
    Folder() {
        char name[] = "/tmp/causeway_control_XXXXXX";
        path = mkdtemp(name);
    }
    ~Folder() { std::filesystem::remove_all(path); }
};

void check_is_taken(const Result<Fd>& opened) {
    REQUIRE_FALSE(opened);
    CHECK(opened.error().code == Code(Vpn::configurationFailed));
    CHECK(opened.error().find(Code::raw(Domain::system, EADDRINUSE)));
}

TEST_CASE("a control socket is taken over when nobody listens, and left alone when somebody does") {
    const Folder folder;
    const std::string path = folder.path + "/run/control.sock";
    auto first = ControlServer::open(path);
    REQUIRE(first);
    check_is_taken(ControlServer::open(path));
    first->reset();  // as after kill -9: the file stays
    REQUIRE(std::filesystem::is_socket(path));
    CHECK(ControlServer::open(path));
}

TEST_CASE("a file that is no socket is never taken for one that was left behind") {
    const Folder folder;
    const std::string path = folder.path + "/precious";
    REQUIRE(write_file_atomically(path, "kept"));
    check_is_taken(ControlServer::open(path));
    CHECK(read_file(path) == "kept");
}

}  // namespace
}  // namespace causeway::gateway
