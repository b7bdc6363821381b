#include "causeway/gateway/file_keeper.h"

#include "causeway/base/file.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <fmt/format.h>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <string>

namespace causeway::gateway {
namespace {

/// A folder with a configuration and the files that it names; gone afterwards.
struct Folder {
    Folder() {
        std::string name = "/tmp/causeway-keeper-XXXXXX";
        REQUIRE(mkdtemp(name.data()) != nullptr);
        path = name;
        write("key.pem", "the key");
        write("cert.pem", "the certificate");
        write("other", "nobody's business");
        write("gateway.toml", fmt::format("listen = [\"127.0.0.1:4443\"]\n"
                                          "certificate = \"{0}/cert.pem\"\n"
                                          "key = \"{0}/key.pem\"\n"
                                          "[authentication]\n"
                                          "users_file = \"{0}/users\"\n"
                                          "[network]\n"
                                          "ipv4_pool = \"10.9.0.0/24\"\n",
                                          path));
    }
    ~Folder() { std::filesystem::remove_all(path); }

    std::string file(const std::string& name) const { return path + "/" + name; }
    void write(const std::string& name, std::string_view text) const {
        REQUIRE(write_file_atomically(file(name), text, 0600).has_value());
    }

    std::string path;
};

TEST_CASE("the keeper opens the configuration and what it names, and nothing else") {
    const Folder folder;
    const auto keeper = FileKeeper::start(folder.file("gateway.toml"), {});
    REQUIRE(keeper.has_value());
    const FileOpener open = [&](const std::string& path) { return (*keeper)->open(path); };

    CHECK(read_opened(open, folder.file("key.pem"), 100).value_or("") == "the key");
    CHECK(read_opened(open, folder.file("cert.pem"), 100).value_or("") == "the certificate");
    CHECK(read_opened(open, folder.file("gateway.toml"), 1000).has_value());
    CHECK(read_opened(open, folder.file("other"), 100).error() == EACCES);
    CHECK(read_opened(open, folder.path + "/../" + folder.file("key.pem"), 100).error() == EACCES);
    CHECK(read_opened(open, folder.file("users"), 100).error() == ENOENT);
    CHECK(read_opened(open, folder.file("key.pem"), 3).error() == EFBIG);
}

TEST_CASE("the keeper goes by the configuration as it is now") {
    const Folder folder;
    const auto keeper = FileKeeper::start(folder.file("gateway.toml"), {});
    REQUIRE(keeper.has_value());
    CHECK_FALSE((*keeper)->open(folder.file("other")).has_value());
    auto text = *read_file(folder.file("gateway.toml"));
    text.replace(text.find("key.pem"), 7, "other");
    folder.write("gateway.toml", text);
    CHECK((*keeper)->open(folder.file("other")).has_value());
    CHECK_FALSE((*keeper)->open(folder.file("key.pem")).has_value());
}

}  // namespace
}  // namespace causeway::gateway
