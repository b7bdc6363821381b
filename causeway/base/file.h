// Small files: read whole, written so that a reader sees the old text or the new, never a part.

#pragma once

#include <sys/types.h>

#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace causeway {

/// The text of a file of at most `limit` bytes. Fails with the errno; EFBIG above the limit,
/// EISDIR for a directory.
std::expected<std::string, int> read_file(const std::string& path, std::size_t limit = 1024 * 1024);

struct FileOwner {
    uid_t user;
    gid_t group;
};

/// Writes a new file beside `path`, syncs it and renames it over `path`. Fails with the errno;
/// then nothing has changed. Without an `owner` it belongs to who writes it.
std::expected<void, int> write_file_atomically(const std::string& path, std::string_view text,
                                               mode_t mode = 0644,
                                               std::optional<FileOwner> owner = {});

}  // namespace causeway
