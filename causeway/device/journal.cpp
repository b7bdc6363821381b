#include "causeway/device/journal.h"

#include "causeway/base/file.h"
#include "causeway/base/text.h"
#include "causeway/device/file_lock.h"
#include "causeway/device/limits.h"
#include "causeway/device/replace_file.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <set>

namespace causeway::device {
namespace {

/// How often the folder may vanish under us, when others end and remove it, before we give up.
constexpr int folder_attempts = 100;

bool touches_resolver(const JournalRecord& record) {
    return std::ranges::any_of(
        record.undo, [](const Undo& undo) { return std::holds_alternative<RestoreDns>(undo); });
}

std::string lock_path(const std::string& folder, std::uint32_t number) {
    return fmt::format("{}/{}.lock", folder, number);
}
std::string record_path(const std::string& folder, std::uint32_t number) {
    return fmt::format("{}/{}.json", folder, number);
}

bool exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

Error file_error(int number, const char* call, const std::string& path) {
    return system_error(number, call).with("file", path);
}

Result<void> make_folder(const std::string& folder) {
    if (mkdir(folder.c_str(), 0700) == 0 || errno == EEXIST) return {};
    return std::unexpected(file_error(errno, "mkdir", folder));
}

/// A folder that others may write to could be made to tell us what to undo.
Result<void> check_folder(const std::string& folder) {
    struct stat facts{};
    if (lstat(folder.c_str(), &facts) != 0) {
        if (errno == ENOENT) return {};
        return std::unexpected(file_error(errno, "lstat", folder));
    }
    if (S_ISDIR(facts.st_mode) && facts.st_uid == geteuid() && (facts.st_mode & 022) == 0)
        return {};
    return std::unexpected(
        system_error(EPERM, "lstat",
                     fmt::format("{} is not a folder that only this user may change", folder))
            .with("file", folder));
}

/// The lock of the first number that neither a living nor a dead run has.
Result<std::optional<std::pair<std::uint32_t, Fd>>> take_number(const std::string& folder) {
    for (std::uint32_t number = 1; number <= run_limit; ++number) {
        // What a dead run of another network namespace left is not ours to touch.
        if (exists(record_path(folder, number))) continue;
        auto lock = try_lock_file(lock_path(folder, number));
        if (!lock) return pass(lock);
        if (!*lock) continue;
        if (exists(record_path(folder, number))) continue;
        return std::pair(number, std::move(**lock));
    }
    return std::nullopt;
}

std::optional<std::uint32_t> number_in(const std::filesystem::path& path) {
    if (path.extension() != ".json" && path.extension() != ".lock") return std::nullopt;
    return parse_number<std::uint32_t>(path.stem().string(), 1, run_limit);
}

void remove_files(const std::string& folder, std::uint32_t number) {
    remove_unfinished(record_path(folder, number));
    // The record first: a lock without a record is nobody's, a record without a lock an orphan's.
    unlink(record_path(folder, number).c_str());
    unlink(lock_path(folder, number).c_str());
}

/// False for a run whose changes are neither here nor gone.
bool is_ours_to_undo(const JournalRecord& record) {
    return record.boot != this_boot() || record.network == this_network();
}

using UndoRun = std::function<Result<void>(const std::string&, const JournalRecord&)>;

/// True when a dead run was put right.
Result<bool> undo_if_dead(const std::string& folder, std::uint32_t number, const UndoRun& undo) {
    const auto lock = try_lock_file(lock_path(folder, number));
    if (!lock) return std::unexpected(lock.error());
    if (!*lock) return false;
    const auto path = record_path(folder, number);
    const auto text = read_file(path);
    if (!text && text.error() == ENOENT) {
        // It died before its first step.
        remove_files(folder, number);
        return false;
    }
    if (!text) return std::unexpected(file_error(text.error(), "read", path));
    const auto record = parse_journal(*text);
    if (!record)
        return std::unexpected(
            system_error(EBADMSG, "json", "the state file cannot be read").with("file", path));
    if (!is_ours_to_undo(*record)) return false;
    if (auto undone = undo(lock_path(folder, number), *record); !undone) return pass(undone);
    remove_files(folder, number);
    return true;
}

}  // namespace

std::string this_boot() {
    return std::string(trim(read_file("/proc/sys/kernel/random/boot_id").value_or("")));
}

std::string this_network() {
    struct stat facts{};
    if (stat("/proc/self/ns/net", &facts) != 0) return {};
    return fmt::format("{}:{}", facts.st_dev, facts.st_ino);
}

Result<Journal> Journal::open(const std::string& folder) {
    for (int attempt = 0;; ++attempt) {
        if (auto made = make_folder(folder); !made) return pass(made);
        if (auto safe = check_folder(folder); !safe) return pass(safe);
        auto taken = take_number(folder);
        const bool vanished = !taken && taken.error().code == Code::raw(Domain::system, ENOENT);
        if (vanished && attempt < folder_attempts) continue;
        if (!taken) return pass(taken);
        if (!*taken)
            return std::unexpected(
                system_error(EUSERS, "flock",
                             fmt::format("{} tunnels run on this machine, no more may", run_limit))
                    .with("file", folder));
        return Journal(folder, (*taken)->first, std::move((*taken)->second));
    }
}

std::string Journal::lock_file() const { return lock_path(folder_, number_); }

Result<void> Journal::write(const JournalRecord& record) {
    const auto path = record_path(folder_, number_);
    // Links, addresses, routes and rules are gone after a crash of the machine, and with them the
    // need to undo them; the resolver's file is not.
    const auto outlives = touches_resolver(record) ? Outlives::machine : Outlives::process;
    if (auto written = replace_file(path, text_of(record), {}, outlives); !written)
        return std::unexpected(file_error(written.error(), "write", path));
    return {};
}

void Journal::remove() {
    remove_files(folder_, number_);
    lock_.reset();
    rmdir(folder_.c_str());
}

Result<int> for_each_dead_run(const std::string& folder, const UndoRun& undo) {
    if (auto safe = check_folder(folder); !safe) return pass(safe);
    std::set<std::uint32_t> numbers;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(folder, ignored))
        if (const auto number = number_in(entry.path())) numbers.insert(*number);

    int count = 0;
    std::optional<Error> first;
    for (const auto number : numbers) {
        auto undone = undo_if_dead(folder, number, undo);
        if (undone)
            count += *undone ? 1 : 0;
        else if (!first)
            first = std::move(undone).error();
    }
    if (first) return std::unexpected(std::move(*first));
    return count;
}

}  // namespace causeway::device
