// Opening files after root was given up: a process that can do that and nothing else.
//
// A reload reads certificate, key and users again, and these belong to root. Before the gateway
// drops its privileges it forks a keeper, which opens the configuration file and the files that
// this file names, and no others, and hands the descriptors over:
//
//     {"open":"/etc/causeway/key.pem"}  ->  {"errno":0} + descriptor, or {"errno":13}

#pragma once

#include "causeway/base/fd.h"
#include "causeway/error/error.h"
#include "causeway/ipc/channel.h"
#include "causeway/program/privileges.h"

#include <sys/types.h>

#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace causeway::gateway {

/// Opens a file for reading, or says the errno.
using FileOpener = std::function<std::expected<Fd, int>(const std::string& path)>;

/// With the rights of this process.
std::expected<Fd, int> open_for_reading(const std::string& path);
/// The whole text of what an opener opens; EFBIG above `limit` bytes.
std::expected<std::string, int> read_opened(const FileOpener& open, const std::string& path,
                                            std::size_t limit);

class FileKeeper {
public:
    /// Forks the keeper, which becomes that user but keeps the right to read; call it while one
    /// thread runs. It ends with this object, or with the gateway. Fails with configurationFailed
    /// <- the errno.
    static Result<std::unique_ptr<FileKeeper>> start(const std::string& config_path,
                                                     const program::RunAs& run_as);
    ~FileKeeper();
    FileKeeper(const FileKeeper&) = delete;
    FileKeeper& operator=(const FileKeeper&) = delete;

    /// EACCES for a file that the configuration does not name, EPIPE when the keeper is gone. Waits
    /// for the keeper, which only opens a file.
    std::expected<Fd, int> open(const std::string& path);

private:
    FileKeeper(ipc::Channel channel, pid_t process)
        : channel_(std::move(channel)), process_(process) {}

    std::optional<ipc::Channel> channel_;
    pid_t process_;
};

}  // namespace causeway::gateway
