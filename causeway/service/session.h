// One VPN of one program: what it is, whose it is, and what it has changed on this machine.

#pragma once

#include "causeway/base/clock.h"
#include "causeway/base/event_loop.h"
#include "causeway/base/fd.h"
#include "causeway/device/plan.h"
#include "causeway/device/setup.h"
#include "causeway/service/caller.h"
#include "causeway/service/plain_tun.h"
#include "causeway/service/vpn_config.h"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace causeway::service {

/// A connection to the control socket.
using ConnectionId = std::uint64_t;

struct Session {
    enum class State : std::uint8_t { setting_up, up, tearing_down };

    std::uint64_t id;
    ConnectionId connection;
    Caller owner;
    VpnConfig config;
    WallTime since;
    State state = State::setting_up;

    Fd process;  ///< Its owner's; readable once that has ended.
    EventLoop::Watch process_watch;

    std::string interface;
    int link = 0;
    /// What of the configuration is this machine's: its users' numbers, its programs' folders.
    std::vector<device::UserRange> users;
    std::vector<std::string> folders;
    std::vector<Fd> markers;  ///< What marks the programs' sockets, until `setup` has them.
    std::optional<device::Setup> setup;
    device::Plan plan;  ///< What `setup` has done, for questions.
    std::string dns;    ///< The resolver that was told; empty for none.
    bool has_asked_for_dns = false;
    bool has_been_up = false;
    bool was_destroyed = false;  ///< On request: only that opens what its lockdown has closed.

    /// Who waits for its end: told the first thing that could not be undone.
    std::vector<std::move_only_function<void(const Result<void>&)>> end_waiters;
    std::string end_reason;
    std::optional<Error> failure;  ///< What could not be closed at its end.

    /// Of its mark, table and rules.
    std::uint32_t number() const { return setup ? setup->mark() & 0xffff : 0; }
    device::RunNumbers numbers() const { return {number()}; }
};

/// 16 hexadecimal digits.
std::string session_id(std::uint64_t id);
std::string_view name_of(Session::State state);
nlohmann::ordered_json json_of(const Session& session);

}  // namespace causeway::service
