// Whether a file was changed: another one in its place, another size, another time.

#pragma once

#include <sys/stat.h>

#include <compare>
#include <cstdint>
#include <optional>
#include <string>

namespace causeway::gateway {

struct FileStamp {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::int64_t size = 0;
    std::int64_t seconds = 0;
    std::int64_t nanoseconds = 0;
    auto operator<=>(const FileStamp&) const = default;

    /// Nothing for a file that is not there, or that this process may not look at.
    static std::optional<FileStamp> of(const std::string& path) {
        struct stat found{};
        if (stat(path.c_str(), &found) != 0) return std::nullopt;
        return FileStamp{found.st_dev, found.st_ino, found.st_size, found.st_mtim.tv_sec,
                         found.st_mtim.tv_nsec};
    }
};

}  // namespace causeway::gateway
