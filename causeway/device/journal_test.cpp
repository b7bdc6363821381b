#include "causeway/device/journal.h"

#include "causeway/base/file.h"
#include "causeway/base/random.h"
#include "causeway/device/file_lock.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

namespace causeway::device {
namespace {

/// A folder name of its own, removed at the end.
struct Folder {
    std::string path = "/tmp/causeway-journal-test-" + hex(random_bytes(8));
    ~Folder() { std::filesystem::remove_all(path); }
};

JournalRecord a_record() {
    return {
        this_boot(),
        this_network(),
        "cw0",
        7,
        {OpenOutside{"causeway-1"}, RestoreLink{{7, 1500, false}, 1}, RestoreLink{{7, 1500, true}},
         RemoveAddresses{{*Prefix::parse("fd00::2/64"), *Prefix::parse("10.0.0.2/24")}},
         FlushTable{Family::ipv6, 0x43570001},
         RemoveRules{{{Family::ipv4, 0x43570001, 17999},
                      {Family::ipv4, 0x43570001, 13999, Landing{}},
                      {Family::ipv4, 0x43570001, 13997, Marked{13999}},
                      {Family::ipv4, 0x43570001, 13998, From{*IpAddress::parse("10.0.0.2")}},
                      {Family::ipv6, 0x43570001, 13998, To{*IpAddress::parse("fd00::1")}},
                      {Family::ipv4, 0x43570001, 13998, UserRange{1000, 1999}}}},
         RestoreDns{DnsBackend::resolvconf}}};
}

/// How often `undo` was called for dead runs in the folder.
int dead_runs(const std::string& folder) {
    int count = 0;
    const auto done = for_each_dead_run(folder, [&](const std::string&, const JournalRecord&) {
        ++count;
        return Result<void>{};
    });
    REQUIRE(done.has_value());
    CHECK(*done == count);
    return count;
}

TEST_CASE("what a state file says comes back as it was written") {
    const auto record = a_record();
    CHECK(parse_journal(text_of(record)) == record);
}

TEST_CASE("a state file that is cut or altered is not read") {
    const auto whole = text_of(a_record());
    for (std::size_t size = 0; size + 2 < whole.size(); ++size)
        REQUIRE_FALSE(parse_journal(std::string_view(whole).substr(0, size)).has_value());
    auto other_version = whole;
    other_version.replace(other_version.find("\"version\": 1"), 12, "\"version\": 2");
    CHECK_FALSE(parse_journal(other_version).has_value());
    auto other_step = whole;
    other_step.replace(other_step.find("flush_table"), 11, "flush_cable");
    CHECK_FALSE(parse_journal(other_step).has_value());
    auto other_table = whole;
    other_table.replace(other_table.find("causeway-1"), 10, "somebody-s");
    CHECK_FALSE(parse_journal(other_table).has_value());
    // A number that no link has: read as an int it would be undefined.
    auto other_link = whole;
    const auto link = other_link.find(':', other_link.find("\n \"link\"")) + 1;
    other_link.replace(link, other_link.find(',', link) - link, " 1e79");
    CHECK_FALSE(parse_journal(other_link).has_value());
}

TEST_CASE("runs take different numbers and leave no file when they end") {
    const Folder folder;
    {
        auto first = Journal::open(folder.path);
        auto second = Journal::open(folder.path);
        REQUIRE(first.has_value());
        REQUIRE(second.has_value());
        CHECK(first->number() == 1);
        CHECK(second->number() == 2);
        first->remove();
        CHECK(Journal::open(folder.path)->number() == 1);
        second->remove();
    }
    std::filesystem::remove(folder.path + "/1.lock");
    Journal::open(folder.path)->remove();
    CHECK_FALSE(std::filesystem::exists(folder.path));
}

TEST_CASE("a living run is left alone, a dead one is undone once") {
    const Folder folder;
    {
        auto journal = Journal::open(folder.path);
        REQUIRE(journal.has_value());
        REQUIRE(journal->write(a_record()).has_value());
        CHECK(dead_runs(folder.path) == 0);
    }
    CHECK(Journal::open(folder.path)->number() == 2);
    CHECK(dead_runs(folder.path) == 1);
    CHECK(dead_runs(folder.path) == 0);
}

TEST_CASE("a dead run of another network namespace waits for a start in its own") {
    const Folder folder;
    auto record = a_record();
    record.network = "1:2";
    REQUIRE(Journal::open(folder.path)->write(record).has_value());
    CHECK(dead_runs(folder.path) == 0);
    record.boot = "an earlier start";
    REQUIRE(write_file_atomically(folder.path + "/1.json", text_of(record)).has_value());
    CHECK(dead_runs(folder.path) == 1);
}

TEST_CASE("a run that cannot be put right stays in its file and does not hold up the others") {
    const Folder folder;
    REQUIRE(Journal::open(folder.path)->write(a_record()).has_value());
    REQUIRE(Journal::open(folder.path)->write(a_record()).has_value());
    int calls = 0;
    const auto done = for_each_dead_run(
        folder.path, [&](const std::string& lock_file, const JournalRecord&) -> Result<void> {
            ++calls;
            if (lock_file.ends_with("/1.lock"))
                return std::unexpected(system_error(EPERM, "netlink"));
            return {};
        });
    CHECK(calls == 2);
    REQUIRE_FALSE(done.has_value());
    CHECK(done.error().fact("errno") == "EPERM");
    CHECK(dead_runs(folder.path) == 1);
}

TEST_CASE("a folder that others may write to is not trusted") {
    const Folder folder;
    REQUIRE(mkdir(folder.path.c_str(), 0700) == 0);
    REQUIRE(chmod(folder.path.c_str(), 0777) == 0);
    const auto opened = Journal::open(folder.path);
    REQUIRE_FALSE(opened.has_value());
    CHECK(opened.error().fact("errno") == "EPERM");
    CHECK(opened.error().fact("file") == folder.path);
}

TEST_CASE("a lock ends with its holder") {
    const Folder folder;
    REQUIRE(mkdir(folder.path.c_str(), 0700) == 0);
    const auto path = folder.path + "/x.lock";
    CHECK_FALSE(is_locked(path));
    {
        auto lock = try_lock_file(path);
        REQUIRE(lock.has_value());
        REQUIRE(lock->has_value());
        CHECK(is_locked(path));
        CHECK_FALSE(try_lock_file(path).value().has_value());
    }
    CHECK_FALSE(is_locked(path));
}

}  // namespace
}  // namespace causeway::device
