// What a connection is to be, from what somebody wrote: every value checked, nothing read yet.

#pragma once

#include "causeway/datapath/record_suite.h"
#include "causeway/error/error.h"
#include "causeway/protocol/url.h"
#include "causeway/tls/trust.h"

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace causeway::connection {

/// As they are written on a command line; nothing for those that are not there.
struct ProfileOptions {
    std::string gateway;
    std::optional<std::string> user;
    std::optional<std::string> password_file;
    std::optional<std::string> password_fd;
    std::vector<std::string> answers;  ///< "FIELD=FILE"
    std::optional<std::string> certificate;
    std::optional<std::string> key;
    std::optional<std::string> key_password_file;
    std::optional<std::string> ca;
    std::vector<std::string> pins;
    std::optional<std::string> group;
    std::optional<std::string> interface;
    std::optional<std::string> mtu;
    std::optional<std::string> timeout;
    std::optional<std::string> crypto;
    bool no_datagrams = false;
    bool no_routes = false;
    bool no_dns = false;
    bool once = false;
};

struct Profile {
    protocol::Url gateway;
    std::optional<std::string> user;
    std::optional<std::string> password_file;
    std::optional<int> password_fd;
    std::map<std::string, std::string> answer_files;  ///< field to file
    std::optional<std::string> certificate_file;
    std::string key_file;  ///< the certificate's when no other was named
    std::optional<std::string> key_password_file;
    std::optional<std::string> ca_file;
    std::vector<tls::Pin> pins;
    std::string group;
    std::string interface;  ///< empty: the kernel chooses
    int mtu = 0;            ///< 0: what the gateway says
    std::chrono::seconds timeout{60};
    bool use_routes = true;
    bool use_dns = true;
    bool once = false;
    bool use_datagrams = true;
    datapath::CryptoBackend crypto = datapath::CryptoBackend::automatic;
};

inline constexpr int mtu_smallest = 576;
inline constexpr int mtu_largest = 16384;
inline constexpr int timeout_largest = 3600;  ///< seconds

/// One line for each option, as the help and the manual show it.
struct OptionHelp {
    const char* name;
    const char* value;  ///< what it takes; empty for a switch
    const char* text;
};
extern const std::vector<OptionHelp> option_help;

/// Fails with configurationFailed <- INVALID_PARAMETER_VALUE, which names option, value and what is
/// allowed (evidence `option`, `value`, `allowed`). Several faults: the first, all of them listed
/// in evidence `faults`.
Result<Profile> make_profile(const ProfileOptions& options);

}  // namespace causeway::connection
