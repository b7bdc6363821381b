// The state file of one run: how to undo what it has done, written before each step is taken.
//
//     STATE/7.lock   held by the run as long as it lives
//     STATE/7.json   what to undo; an orphan when nobody holds the lock
//
// The number in the names is the run's: its mark, table and rules are made from it.

#pragma once

#include "causeway/base/fd.h"
#include "causeway/device/plan.h"
#include "causeway/error/error.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace causeway::device {

struct JournalRecord {
    /// Which start of the machine and which network namespace the changes are in.
    std::string boot;
    std::string network;
    std::string interface;
    int link = 0;
    std::vector<Undo> undo;  ///< In the order of the steps: to be undone from the back.

    bool operator==(const JournalRecord&) const = default;
};

std::string text_of(const JournalRecord& record);
/// Nothing unless the text is a record.
std::optional<JournalRecord> parse_journal(std::string_view text);

/// The start of the machine and the network namespace this process is in.
std::string this_boot();
std::string this_network();

class Journal {
public:
    /// Takes the first free number in the folder, which is made if need be. Fails with the errno,
    /// evidence `file`; EUSERS when all numbers are taken.
    static Result<Journal> open(const std::string& folder);

    std::uint32_t number() const { return number_; }
    const std::string& folder() const { return folder_; }
    std::string lock_file() const;

    Result<void> write(const JournalRecord& record);
    /// Removes the files, and the folder when it is empty.
    void remove();

private:
    Journal(std::string folder, std::uint32_t number, Fd lock)
        : folder_(std::move(folder)), number_(number), lock_(std::move(lock)) {}

    std::string folder_;
    std::uint32_t number_;
    Fd lock_;
};

/// Calls `undo` with the number and the record of every dead run of this network namespace, or of
/// an earlier start of the machine, and removes its files when that went well. Goes on after a
/// failure, returns the first one; else how many there were.
Result<int> for_each_dead_run(
    const std::string& folder,
    const std::function<Result<void>(const std::string& lock_file, const JournalRecord&)>& undo);

}  // namespace causeway::device
