#include "causeway/gateway/incident_log.h"

#include "causeway/base/file.h"
#include "causeway/base/text.h"
#include "causeway/error/json.h"
#include "causeway/gateway/reasons.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace causeway::gateway {
namespace {

struct LogFile {
    std::string folder;
    std::string path;
    LogFile() {
        char name[] = "/tmp/causeway_log_XXXXXX";
        folder = mkdtemp(name);
        path = folder + "/incidents.jsonl";
    }
    ~LogFile() { std::filesystem::remove_all(folder); }
    LogSettings settings(std::size_t kept = 10) const {
        return {LogSettings::Target::file, path, kept};
    }
    std::vector<nlohmann::ordered_json> lines(const std::string& file) const {
        std::vector<nlohmann::ordered_json> parsed;
        const std::string text = *read_file(file);
        for (const auto line : split(text, '\n'))
            if (!line.empty()) parsed.push_back(nlohmann::ordered_json::parse(line));
        return parsed;
    }
};

const Party alice{Endpoint::parse("192.0.2.7:50000"), "alice", "staff", 12};

TEST_CASE("a refusal becomes one line with code, sentence, reason, client and user") {
    const LogFile file;
    const auto log = IncidentLog::open(file.settings());
    REQUIRE(log);
    const auto id = (*log)->record(refusal(Reason::pool_empty), Phase::session, alice);

    const auto lines = file.lines(file.path);
    REQUIRE(lines.size() == 1);
    CHECK(lines[0]["incident"] == id);
    CHECK(lines[0]["phase"] == "session");
    CHECK(lines[0]["error"]["domain"] == "vpn");
    CHECK(lines[0]["error"]["value"] == 16);
    CHECK(lines[0]["error"]["evidence"]["reason"] == "pool-empty");
    CHECK(lines[0]["client"] == "192.0.2.7:50000");
    CHECK(lines[0]["user"] == "alice");
    CHECK(lines[0]["group"] == "staff");
    CHECK(lines[0]["session"] == 12);
    CHECK(*(*log)->find(id) == lines[0].dump());
    // The line is an incident like any other and is read back as one.
    const auto incident = incident_from_text(*(*log)->find(id));
    REQUIRE(incident);
    CHECK(incident_id(incident->id) == id);
}

TEST_CASE("names that clients made up cannot break a line or its encoding") {
    const LogFile file;
    const auto log = IncidentLog::open(file.settings());
    Party party = alice;
    party.user = "a\"}\n{\"b\xff\x01";
    (*log)->record(refusal(Reason::wrong_password), Phase::authenticate, party);
    const auto lines = file.lines(file.path);
    REQUIRE(lines.size() == 1);
    CHECK(lines[0]["user"] == "a\"}\n{\"b\ufffd\x01");
}

TEST_CASE("the last incidents are found by their id, older ones are not") {
    const LogFile file;
    const auto log = IncidentLog::open(file.settings(3));
    std::vector<std::string> ids;
    for (int i = 0; i < 5; ++i)
        ids.push_back((*log)->record(refusal(Reason::idle), Phase::disconnect, alice));
    CHECK_FALSE((*log)->find(ids[0]));
    CHECK_FALSE((*log)->find(ids[1]));
    for (int i = 2; i < 5; ++i) CHECK((*log)->find(ids[static_cast<std::size_t>(i)]));
    CHECK_FALSE((*log)->find("0000000000000000"));
}

TEST_CASE("after a rotation the log goes on in a new file of the same name") {
    const LogFile file;
    const auto log = IncidentLog::open(file.settings());
    (*log)->note("started", {}, {{"version", "1"}});
    std::filesystem::rename(file.path, file.path + ".1");
    (*log)->note("still in the old one", {});
    REQUIRE((*log)->reopen());
    (*log)->note("reopened", alice);

    CHECK(file.lines(file.path + ".1").size() == 2);
    const auto lines = file.lines(file.path);
    REQUIRE(lines.size() == 1);
    CHECK(lines[0]["event"] == "reopened");
    CHECK(lines[0]["user"] == "alice");
}

TEST_CASE("a log that cannot be opened says which and why, and a failed rotation keeps the old") {
    const auto refused = IncidentLog::open({LogSettings::Target::file, "/nowhere/log", 5});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().detail == "the log file /nowhere/log cannot be opened");
    CHECK(refused.error().find(Code::raw(Domain::system, ENOENT)));

    const LogFile file;
    const auto log = IncidentLog::open(file.settings());
    std::filesystem::rename(file.folder, file.folder + ".gone");
    CHECK_FALSE((*log)->reopen());
    (*log)->note("still here", {});
    std::filesystem::rename(file.folder + ".gone", file.folder);
    CHECK(file.lines(file.path).size() == 1);
}

TEST_CASE("lines that the disk does not take are counted") {
    const auto log = IncidentLog::open({LogSettings::Target::file, "/dev/full", 5});
    REQUIRE(log);
    (*log)->note("lost", {});
    CHECK((*log)->lost() == 1);
}

}  // namespace
}  // namespace causeway::gateway
