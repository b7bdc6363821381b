// Replacing a file that only the holder of a lock may replace.
//
// The new text is written beside it under one fixed name, so that what a killed process left there
// can be found and removed by the next holder.

#pragma once

#include <sys/types.h>

#include <expected>
#include <string>
#include <string_view>

namespace causeway::device {

/// Who may use a file, and how.
struct FileRights {
    mode_t mode = 0600;
    uid_t uid = static_cast<uid_t>(-1);  ///< -1: as the process has it.
    gid_t gid = static_cast<gid_t>(-1);
};

/// What the new text must outlive. Syncing it to a disk takes milliseconds.
enum class Outlives { machine, process };

/// Writes the text beside `path`, syncs it when it must outlive the machine, and renames it over
/// `path`: readers see the old text or the new one. Fails with the errno; then nothing has changed.
std::expected<void, int> replace_file(const std::string& path, std::string_view text,
                                      FileRights rights = {},
                                      Outlives outlives = Outlives::machine);

/// Removes what a process that was killed in `replace_file` left beside `path`.
void remove_unfinished(const std::string& path);

}  // namespace causeway::device
