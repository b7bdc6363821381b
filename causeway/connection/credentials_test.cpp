// Files of a profile, real ones in a folder of their own.

#include "causeway/connection/credentials.h"

#include "causeway/base/fd.h"

#include <doctest/doctest.h>
#include <stdlib.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>

namespace causeway::connection {
namespace {

class Folder {
public:
    Folder() { REQUIRE(mkdtemp(path_.data()) != nullptr); }
    ~Folder() { std::filesystem::remove_all(path_); }
    std::string file(const char* name, std::string_view text) const {
        const auto path = path_ + "/" + name;
        std::ofstream(path) << text;
        return path;
    }

private:
    std::string path_ = "/tmp/causeway-credentials-XXXXXX";
};

Result<Credentials> load(const Profile& profile) {
    return load_credentials(profile, std::chrono::seconds(10), wall_now(), {});
}

}  // namespace

TEST_CASE("a password is the first line of its file") {
    const Folder folder;
    Profile profile;
    profile.password_file = folder.file("password", "secret word\r\nmore\n");
    const auto credentials = load(profile);
    REQUIRE(credentials);
    CHECK(credentials->password->reveal() == "secret word");
}

TEST_CASE("a password comes through a descriptor, whole though it comes in pieces") {
    std::array<int, 2> ends;
    REQUIRE(pipe(ends.data()) == 0);
    const Fd reader(ends[0]);
    Fd writer(ends[1]);
    REQUIRE(write(writer.get(), "secret", 6) == 6);
    writer.reset();
    Profile profile;
    profile.password_fd = reader.get();
    const auto credentials = load(profile);
    REQUIRE(credentials);
    CHECK(credentials->password->reveal() == "secret");
}

TEST_CASE("answers to fields are read from their files") {
    const Folder folder;
    Profile profile;
    profile.answer_files["token"] = folder.file("token", "123456\n");
    const auto credentials = load(profile);
    REQUIRE(credentials);
    CHECK(credentials->answers.at("token").reveal() == "123456");
}

TEST_CASE("a file that is not there, an empty secret and a dead descriptor each say so") {
    const Folder folder;
    Profile missing;
    missing.password_file = "/nonexistent/password";
    auto failed = load(missing);
    REQUIRE_FALSE(failed);
    CHECK(failed.error().code == Code(Vpn::configurationFailed));
    CHECK(failed.error().find(Code::raw(Domain::system, ENOENT)) != nullptr);
    CHECK(failed.error().fact("option") == "--password-file");

    Profile empty;
    empty.password_file = folder.file("password", "\n");
    failed = load(empty);
    REQUIRE_FALSE(failed);
    CHECK(failed.error().find(Code(Service::INVALID_PARAMETER_VALUE)) != nullptr);

    Profile dead;
    dead.password_fd = 987'654;
    failed = load(dead);
    REQUIRE_FALSE(failed);
    CHECK(failed.error().find(Code::raw(Domain::system, EBADF)) != nullptr);
}

TEST_CASE(
    "a certificate that is none is our own certificate's fault, authorities are the profile's") {
    const Folder folder;
    Profile profile;
    profile.certificate_file = profile.key_file = folder.file("me.pem", "no certificate");
    auto failed = load(profile);
    REQUIRE_FALSE(failed);
    CHECK(failed.error().code == Code(Vpn::clientCertificateInvalid));

    Profile untrusting;
    untrusting.ca_file = folder.file("ca.pem", "no certificate");
    failed = load(untrusting);
    REQUIRE_FALSE(failed);
    CHECK(failed.error().code == Code(Vpn::configurationFailed));
    CHECK(failed.error().fact("ca") == *untrusting.ca_file);
}

}  // namespace causeway::connection
