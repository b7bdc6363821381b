// The record beside a resolver's file that we have written: what was in it, and whose servers are.

#pragma once

#include "causeway/error/error.h"

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace causeway::device {

/// A file as it was.
struct Original {
    std::string text;
    mode_t mode = 0644;
    uid_t uid = 0;
    gid_t gid = 0;

    bool operator==(const Original&) const = default;
};

struct ResolverRecord {
    struct Entry {
        std::string owner;  ///< The lock file of the run.
        std::vector<std::string> servers;
        std::vector<std::string> search;

        bool operator==(const Entry&) const = default;
    };

    std::optional<Original> original;  ///< Nothing when there was no file.
    std::vector<Entry> entries;        ///< The latest last.

    bool operator==(const ResolverRecord&) const = default;
};

std::string text_of(const ResolverRecord& record);
/// Nothing unless the text is a record.
std::optional<ResolverRecord> parse_record(std::string_view text);

/// Nothing when there is no such file. Fails with the errno, EBADMSG for something else than a
/// record; evidence `file`.
Result<std::optional<ResolverRecord>> load_record(const std::string& path);

}  // namespace causeway::device
