// Name servers by the resolver's file itself, /etc/resolv.conf, where nobody else looks after it.
//
// What was in the file is kept in a record until the last tunnel has gone:
//
//     /etc/resolv.conf -> real file             replaced by rename
//     real file + ".causeway"                   the record: the original, and who set which servers
//
// A file that is mounted cannot be replaced; it is written in place, and its record lies in the
// state folder. Several tunnels stack: the servers of the latest are in the file, and when one
// ends, the servers of those that stay are.

#pragma once

#include "causeway/device/network_settings.h"
#include "causeway/error/error.h"

#include <functional>
#include <string>

namespace causeway::device {

struct ResolverFile {
    std::string path = "/etc/resolv.conf";
    std::string state_folder;  ///< Must exist. Its lock is held while file and record change.
};

/// Whether the file could be written, tried out beside it. Fails with the errno, evidence `file`.
Result<void> check_resolver_file(const ResolverFile& file);

/// Puts the servers of `owner` into the file, on top of those of others. Fails with the errno,
/// evidence `file`; then the file is as it was.
Result<void> push_servers(const ResolverFile& file, const std::string& owner,
                          const DnsSettings& settings);

/// Takes the servers of `owner` away. The last one restores the original, unless somebody else
/// has written the file since: theirs is newer, and stays.
Result<void> pop_servers(const ResolverFile& file, const std::string& owner);

/// The same for every owner that is not alive.
Result<void> sweep_servers(const ResolverFile& file,
                           const std::function<bool(const std::string& owner)>& is_alive);

}  // namespace causeway::device
