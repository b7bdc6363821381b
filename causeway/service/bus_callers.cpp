#include "causeway/service/bus_callers.h"

#include "causeway/service/bus_link.h"
#include "causeway/service/limits.h"

#include <fmt/format.h>
#include <sdbus-c++/Error.h>
#include <sdbus-c++/IConnection.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace causeway::service {
namespace {

constexpr const char* bus_name = "org.freedesktop.DBus";
constexpr const char* bus_own_object = "/org/freedesktop/DBus";
/// A name that has no new owner.
constexpr const char* departure =
    "type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',"
    "interface='org.freedesktop.DBus',member='NameOwnerChanged',arg2=''";

using Credentials = std::map<std::string, sdbus::Variant>;

Error too_many(std::string detail) {
    return Error{Service::SYSTEM_INTERNAL_ERROR, std::move(detail), {{"step", "connection"}}}
        .because(system_error(EUSERS, "GetConnectionCredentials"));
}

Error unknown(Error below) {
    return Error{Service::SYSTEM_INTERNAL_ERROR,
                 "the bus does not say who the caller is",
                 {{"step", "connection"}}}
        .because(std::move(below));
}

template <typename Value>
const sdbus::Variant* fact(const Credentials& credentials, const char* key) {
    const auto found = credentials.find(key);
    if (found == credentials.end() || !found->second.containsValueOfType<Value>()) return nullptr;
    return &found->second;
}

Result<BusCaller> read_credentials(const sdbus::Error* failure, const Credentials& credentials) {
    if (failure)
        return std::unexpected(unknown(
            bus_failure(failure->getName(), failure->getMessage(), "GetConnectionCredentials")));
    auto caller = bus_caller_from(credentials);
    if (!caller) return std::unexpected(unknown(std::move(caller).error()));
    return caller;
}

}  // namespace

Result<BusCaller> bus_caller_from(const Credentials& credentials) {
    const auto* user = fact<std::uint32_t>(credentials, "UnixUserID");
    const auto* process = fact<std::uint32_t>(credentials, "ProcessID");
    if (!user || !process)
        return std::unexpected(system_error(ENODATA, "GetConnectionCredentials"));
    BusCaller known{};
    known.caller.uid = user->get<std::uint32_t>();
    known.caller.pid = static_cast<pid_t>(process->get<std::uint32_t>());
    if (const auto* groups = fact<std::vector<std::uint32_t>>(credentials, "UnixGroupIDs"))
        for (const auto group : groups->get<std::vector<std::uint32_t>>())
            known.caller.groups.insert(group);
    if (const auto* descriptor = fact<sdbus::UnixFd>(credentials, "ProcessFD"))
        known.process.reset(descriptor->get<sdbus::UnixFd>().release());
    else if (auto opened = process_numbered(known.caller.pid))
        known.process = std::move(*opened);
    return known;
}

BusCallers::BusCallers(sdbus::IConnection& connection, Gone gone)
    : gone_(std::move(gone)),
      bus_(sdbus::createProxy(connection, bus_name, bus_own_object)),
      departures_(connection.addMatch(departure, [this](sdbus::Message& message) {
          std::string name;
          message >> name;
          left(name);
      })) {}

BusCallers::~BusCallers() = default;

void BusCallers::find(const std::string& name, Known known) {
    if (const auto found = callers_.find(name); found != callers_.end())
        return known(&found->second);
    const auto asked = questions_.find(name);
    if (asked == questions_.end() && questions_.size() < bus_question_limit)
        return ask(name, std::move(known));
    if (asked != questions_.end() && asked->second.waiting.size() < bus_waiting_limit)
        return asked->second.waiting.push_back(std::move(known));
    known(std::unexpected(too_many("too many callers wait until the bus has said who they are")));
}

const BusCaller* BusCallers::find(ConnectionId connection) const {
    const auto found = std::ranges::find_if(
        callers_, [&](const auto& entry) { return entry.second.connection == connection; });
    return found == callers_.end() ? nullptr : &found->second;
}

void BusCallers::ask(const std::string& name, Known known) {
    auto& question = questions_[name];
    question.waiting.push_back(std::move(known));
    question.call =
        bus_->callMethodAsync("GetConnectionCredentials")
            .onInterface(bus_name)
            .withTimeout(bus_time_limit)
            .withArguments(name)
            .uponReplyInvoke([this, name](const sdbus::Error* failure, Credentials credentials) {
                answered(name, read_credentials(failure, credentials));
            });
}

void BusCallers::answered(const std::string& name, Result<BusCaller> caller) {
    auto question = questions_.extract(name);
    if (question.empty()) return;
    auto waiting = std::move(question.mapped().waiting);
    if (caller)
        if (auto room = check_room(caller->caller); !room) caller = pass(room);
    if (!caller) {
        for (auto& each : waiting) each(std::unexpected(caller.error()));
        return;
    }
    caller->connection = ++last_;
    caller->name = name;
    callers_.emplace(name, std::move(*caller));
    for (auto& each : waiting) {
        // It stays while this lasts: its departure is another message.
        const auto found = callers_.find(name);
        if (found != callers_.end()) each(&found->second);
    }
}

/// As on the socket; root always finds a place.
Result<void> BusCallers::check_room(const Caller& caller) const {
    std::size_t own = 0;
    std::size_t ordinary = 0;
    for (const auto& [name, other] : callers_) {
        if (other.caller.uid == caller.uid) ++own;
        if (!other.caller.is_root()) ++ordinary;
    }
    const auto limit = caller.is_root() ? connection_limit_of_root : connection_limit_of_user;
    if (own >= limit)
        return std::unexpected(
            too_many(fmt::format("{} connections of {} to the bus are served, and no more may be",
                                 own, spoken(caller.uid))));
    if (!caller.is_root() && ordinary >= connection_limit)
        return std::unexpected(too_many("too many connections to the bus are served"));
    return {};
}

void BusCallers::left(const std::string& name) {
    questions_.erase(name);
    const auto known = callers_.extract(name);
    if (!known.empty()) gone_(known.mapped().connection);
}

void BusCallers::clear() {
    questions_.clear();
    const auto all = std::exchange(callers_, {});
    for (const auto& [name, caller] : all) gone_(caller.connection);
}

}  // namespace causeway::service
