#include "causeway/device/file_lock.h"

#include "causeway/base/clock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <thread>

namespace causeway::device {
namespace {

using namespace std::chrono_literals;

constexpr auto patience = 5s;

Error lock_error(int number, const char* call, const std::string& path) {
    return system_error(number, call).with("file", path);
}

/// True when the path still leads to the open file.
bool is_same_file(int fd, const std::string& path) {
    struct stat opened{}, named{};
    return fstat(fd, &opened) == 0 && stat(path.c_str(), &named) == 0 &&
           opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

}  // namespace

Result<Fd> lock_folder(const std::string& folder) {
    Fd fd(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd) return std::unexpected(lock_error(errno, "open", folder));
    const Instant until = Clock::now() + patience;
    while (flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK || Clock::now() > until)
            return std::unexpected(lock_error(errno, "flock", folder));
        std::this_thread::sleep_for(5ms);
    }
    return fd;
}

Result<std::optional<Fd>> try_lock_file(const std::string& path) {
    while (true) {
        Fd fd(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
        if (!fd) return std::unexpected(lock_error(errno, "open", path));
        if (flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
            if (errno == EWOULDBLOCK) return std::nullopt;
            return std::unexpected(lock_error(errno, "flock", path));
        }
        // Its last holder may have removed it between our open and our lock.
        if (is_same_file(fd.get(), path)) return fd;
    }
}

bool is_locked(const std::string& path) {
    const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    return fd && flock(fd.get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

}  // namespace causeway::device
