#include "causeway/base/file.h"

#include "causeway/base/bytes.h"
#include "causeway/base/fd.h"
#include "causeway/base/random.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstdio>

namespace causeway {
namespace {

std::expected<void, int> write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const auto count = write(fd, text.data(), text.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return std::unexpected(errno);
        text.remove_prefix(static_cast<std::size_t>(count));
    }
    return {};
}

std::expected<void, int> write_new(const std::string& path, std::string_view text, mode_t mode,
                                   std::optional<FileOwner> owner) {
    const Fd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
    if (!fd) return std::unexpected(errno);
    if (owner && fchown(fd.get(), owner->user, owner->group) != 0) return std::unexpected(errno);
    if (fchmod(fd.get(), mode) != 0) return std::unexpected(errno);
    if (auto written = write_all(fd.get(), text); !written) return written;
    if (fsync(fd.get()) != 0) return std::unexpected(errno);
    return {};
}

void sync_folder_of(const std::string& path) {
    const auto slash = path.rfind('/');
    const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
    const Fd fd(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (fd) fsync(fd.get());
}

}  // namespace

std::expected<std::string, int> read_file(const std::string& path, std::size_t limit) {
    const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) return std::unexpected(errno);
    std::string text;
    std::array<char, 16384> buffer;
    while (true) {
        const auto count = read(fd.get(), buffer.data(), buffer.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return std::unexpected(errno);
        if (count == 0) return text;
        text.append(buffer.data(), static_cast<std::size_t>(count));
        if (text.size() > limit) return std::unexpected(EFBIG);
    }
}

std::expected<void, int> write_file_atomically(const std::string& path, std::string_view text,
                                               mode_t mode, std::optional<FileOwner> owner) {
    const std::string beside = path + "." + hex(random_bytes(4)) + ".new";
    auto written = write_new(beside, text, mode, owner);
    if (written && rename(beside.c_str(), path.c_str()) != 0) written = std::unexpected(errno);
    if (!written)
        unlink(beside.c_str());
    else
        sync_folder_of(path);
    return written;
}

}  // namespace causeway
