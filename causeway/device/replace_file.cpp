#include "causeway/device/replace_file.h"

#include "causeway/base/fd.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace causeway::device {
namespace {

std::string beside(const std::string& path) { return path + ".causeway-new"; }

std::expected<void, int> write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const auto count = write(fd, text.data(), text.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return std::unexpected(errno);
        text.remove_prefix(static_cast<std::size_t>(count));
    }
    return {};
}

std::expected<void, int> write_new(const std::string& path, std::string_view text,
                                   FileRights rights, Outlives outlives) {
    const Fd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!fd) return std::unexpected(errno);
    if (auto written = write_all(fd.get(), text); !written) return written;
    // Without the right to give files away, the file stays ours; its mode still holds.
    if (fchown(fd.get(), rights.uid, rights.gid) != 0 && errno != EPERM && errno != EINVAL)
        return std::unexpected(errno);
    if (fchmod(fd.get(), rights.mode) != 0) return std::unexpected(errno);
    if (outlives == Outlives::machine && fsync(fd.get()) != 0) return std::unexpected(errno);
    return {};
}

}  // namespace

std::expected<void, int> replace_file(const std::string& path, std::string_view text,
                                      FileRights rights, Outlives outlives) {
    remove_unfinished(path);
    auto written = write_new(beside(path), text, rights, outlives);
    if (written && rename(beside(path).c_str(), path.c_str()) != 0)
        written = std::unexpected(errno);
    if (!written) remove_unfinished(path);
    return written;
}

void remove_unfinished(const std::string& path) { unlink(beside(path).c_str()); }

}  // namespace causeway::device
