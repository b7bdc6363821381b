#include "causeway/gateway/incident_log.h"

#include "causeway/base/text.h"
#include "causeway/error/json.h"
#include "causeway/gateway/reasons.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

namespace causeway::gateway {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* journal_socket = "/run/systemd/journal/socket";
/// How long a line may wait for a reader of standard error that has stopped reading.
constexpr int patience_ms = 100;

// As syslog(3) numbers them.
constexpr int priority_warning = 4;
constexpr int priority_information = 6;

Result<Fd> open_file(const std::string& path) {
    Fd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0640));
    if (!fd)
        return fail(Vpn::configurationFailed,
                    fmt::format("the log file {} cannot be opened", printable(path)),
                    system_error(errno, "open").with("file", path));
    return fd;
}

Result<Fd> open_journal() {
    Fd fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, journal_socket, sizeof address.sun_path - 1);
    if (!fd || connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        return fail(Vpn::configurationFailed,
                    "log is \"journal\" and no journal listens on this machine",
                    system_error(errno, "connect").with("socket", journal_socket));
    return fd;
}

Result<Fd> open_target(const LogSettings& settings) {
    switch (settings.target) {
        case LogSettings::Target::file: return open_file(settings.file);
        case LogSettings::Target::journal: return open_journal();
        case LogSettings::Target::standard_error: break;
    }
    Fd fd(fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3));
    if (!fd)
        return fail(Vpn::configurationFailed, "standard error is closed",
                    system_error(errno, "fcntl"));
    return fd;
}

bool is_ready(int fd) {
    pollfd waiting{fd, POLLOUT, 0};
    return poll(&waiting, 1, patience_ms) == 1;
}

/// False when not all of it could be written.
bool write_line(int fd, std::string_view text) {
    while (!text.empty()) {
        if (!is_ready(fd)) return false;
        const auto count = write(fd, text.data(), text.size());
        if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (count < 0) return false;
        text.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
}

void add(Json& json, const Party& party) {
    const auto text = [&](const char* key, const std::string& value) {
        if (!value.empty()) json[key] = valid_utf8(value);
    };
    if (party.client) json["client"] = party.client->text();
    text("user", party.user);
    text("group", party.group);
    if (party.session != 0) json["session"] = party.session;
}

std::string line_of(const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

Result<std::unique_ptr<IncidentLog>> IncidentLog::open(const LogSettings& settings) {
    auto fd = open_target(settings);
    if (!fd) return pass(fd);
    std::unique_ptr<IncidentLog> log(new IncidentLog(settings));
    log->fd_ = std::move(*fd);
    return log;
}

std::string IncidentLog::record(const Error& error, Phase phase, const Party& party) {
    const Incident incident =
        make_incident({}, party.client ? party.client->text() : std::string(), phase, error);
    const std::string id = incident_id(incident.id);
    Json json = json_of(incident);
    add(json, party);
    const std::string line = line_of(json);

    const std::lock_guard lock(mutex_);
    while (order_.size() >= settings_.kept) {
        lines_.erase(order_.front());
        order_.pop_front();
    }
    order_.push_back(id);
    lines_[id] = line;
    const ReasonRow* reason = reason_of(error);
    write(line,
          reason && reason->reason == Reason::user_ended ? priority_information : priority_warning);
    return id;
}

void IncidentLog::note(std::string_view event, const Party& party, const Evidence& facts) {
    Json json{{"version", incident_json_version},
              {"event", std::string(event)},
              {"time", iso8601(wall_now())}};
    add(json, party);
    for (const auto& [key, value] : facts) json[key] = valid_utf8(value);
    const std::string line = line_of(json);
    const std::lock_guard lock(mutex_);
    write(line, priority_information);
}

std::optional<std::string> IncidentLog::find(std::string_view id) const {
    const std::lock_guard lock(mutex_);
    const auto found = lines_.find(std::string(id));
    if (found == lines_.end()) return std::nullopt;
    return found->second;
}

Result<void> IncidentLog::reopen() {
    if (settings_.target != LogSettings::Target::file) return {};
    auto fd = open_file(settings_.file);
    if (!fd) return pass(fd);
    const std::lock_guard lock(mutex_);
    fd_ = std::move(*fd);
    return {};
}

std::uint64_t IncidentLog::lost() const {
    const std::lock_guard lock(mutex_);
    return lost_;
}

void IncidentLog::write(std::string_view line, int priority) {
    if (settings_.target != LogSettings::Target::journal) {
        if (!write_line(fd_.get(), fmt::format("{}\n", line))) ++lost_;
        return;
    }
    const std::string entry = fmt::format(
        "PRIORITY={}\nSYSLOG_IDENTIFIER=causeway-gateway\nMESSAGE={}\n", priority, line);
    const auto journal_takes = [&] {
        return send(fd_.get(), entry.data(), entry.size(), MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
    };
    if (journal_takes()) return;
    // The journal was restarted: its socket is another one now.
    auto fd = open_journal();
    if (fd) fd_ = std::move(*fd);
    if (!fd || !journal_takes()) ++lost_;
}

}  // namespace causeway::gateway
