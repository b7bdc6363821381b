#include "causeway/service/client.h"

#include "causeway/base/clock.h"
#include "causeway/error/json.h"
#include "causeway/ipc/descriptor_socket.h"
#include "causeway/service/control_stream.h"
#include "causeway/service/json.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <deque>
#include <optional>

namespace causeway::service {
namespace {

constexpr const char* standard_path = "/run/causeway/control.sock";
constexpr auto answer_time_limit = std::chrono::seconds(60);
constexpr const char* id_key = "incident";
constexpr const char* time_key = "incident_time";

std::unexpected<Error> not_reached(const std::string& path, std::string detail, Error below) {
    return std::unexpected(
        Error{Service::SYSTEM_INTERNAL_ERROR, std::move(detail), {{"step", "service"}}}
            .with("control_socket", path)
            .because(std::move(below)));
}

Result<std::vector<Fd>> copies_of(const std::vector<int>& descriptors) {
    std::vector<Fd> copies;
    for (const int each : descriptors) {
        Fd copy(fcntl(each, F_DUPFD_CLOEXEC, 0));
        if (!copy)
            return fail(Service::INVALID_SOCKET_FD, "the descriptor is not open",
                        system_error(errno, "fcntl F_DUPFD_CLOEXEC"));
        copies.push_back(std::move(copy));
    }
    return copies;
}

/// The service's refusal, as it said it.
Error refusal_in(const OrderedJson& incident) {
    auto read = incident_from_json(incident);
    if (!read) return std::move(read).error();
    return std::move(read->error)
        .with(id_key, incident_id(read->id))
        .with(time_key, iso8601(read->time));
}

std::string text_of(const OrderedJson& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

}  // namespace

std::string control_socket_path() {
    const char* chosen = std::getenv("CAUSEWAY_SOCKET");
    return chosen && *chosen ? chosen : standard_path;
}

Incident incident_of(Error failure) {
    const auto id = parse_incident_id(failure.fact(id_key));
    const auto time = parse_iso8601(std::string(failure.fact(time_key)));
    std::erase_if(failure.evidence,
                  [](const auto& pair) { return pair.first == id_key || pair.first == time_key; });
    auto incident = make_incident({}, {}, Phase::device, std::move(failure));
    if (id) incident.id = *id;
    if (time) incident.time = *time;
    return incident;
}

struct ControlClient::State {
    State(Fd socket, std::string where) : stream(std::move(socket)), path(std::move(where)) {}

    ControlStream stream;
    std::string path;
    std::uint64_t asked = 0;
    std::deque<std::string> events;

    Result<void> wait(short what, std::optional<Instant> until) const;
    Result<ControlFrame> next_frame(std::optional<Instant> until);
    Result<void> send(std::string_view text, std::vector<Fd> descriptors, Instant until);
};

Result<void> ControlClient::State::wait(short what, std::optional<Instant> until) const {
    pollfd waiting{stream.fd(), what, 0};
    int left = -1;
    if (until) {
        const auto count =
            std::chrono::ceil<std::chrono::milliseconds>(*until - Clock::now()).count();
        left = static_cast<int>(std::max<std::int64_t>(count, 0));
    }
    const int ready = poll(&waiting, 1, left);
    if (ready > 0 || (ready < 0 && errno == EINTR)) return {};
    if (ready == 0) return std::unexpected(system_error(ETIMEDOUT, "poll"));
    return std::unexpected(system_error(errno, "poll"));
}

Result<ControlFrame> ControlClient::State::next_frame(std::optional<Instant> until) {
    while (true) {
        auto frame = stream.receive();
        if (!frame) return pass(frame);
        if (*frame) return std::move(**frame);
        if (auto waited = wait(POLLIN, until); !waited) return pass(waited);
    }
}

Result<void> ControlClient::State::send(std::string_view text, std::vector<Fd> descriptors,
                                        Instant until) {
    if (auto sent = stream.send(text, std::move(descriptors)); !sent) return sent;
    while (stream.wants_write()) {
        if (auto waited = wait(POLLOUT, until); !waited) return waited;
        if (auto flushed = stream.flush(); !flushed) return flushed;
    }
    return {};
}

ControlClient::ControlClient(std::unique_ptr<State> state) : state_(std::move(state)) {}
ControlClient::ControlClient(ControlClient&&) noexcept = default;
ControlClient& ControlClient::operator=(ControlClient&&) noexcept = default;
ControlClient::~ControlClient() = default;

int ControlClient::fd() const { return state_->stream.fd(); }

Result<ControlClient> ControlClient::connect(const std::string& path) {
    auto socket = ipc::connect_to(path);
    if (!socket)
        return not_reached(path, fmt::format("no VPN service can be reached at {}", path),
                           std::move(socket).error());
    return ControlClient(std::make_unique<State>(std::move(*socket), path));
}

Result<ControlClient::Answer> ControlClient::ask(std::string_view method, const std::string& params,
                                                 const std::vector<int>& descriptors) {
    auto copies = copies_of(descriptors);
    if (!copies) return pass(copies);
    const Instant until = Clock::now() + answer_time_limit;
    const auto number = ++state_->asked;
    const std::string text = fmt::format(R"({{"id":{},"method":{},"params":{}}})", number,
                                         OrderedJson(method).dump(), params);
    const auto lost = [&](Error below) {
        return not_reached(state_->path, "the VPN service did not answer", std::move(below));
    };
    const auto sent = state_->send(text, std::move(*copies), until);
    while (true) {
        // What it said before it closed can still be read.
        auto frame = state_->next_frame(sent ? std::optional(until) : Clock::now());
        if (!frame) return lost(sent ? std::move(frame).error() : sent.error());
        const OrderedJson json = OrderedJson::parse(frame->text, nullptr, false);
        if (!json.is_object())
            return lost(system_error(EBADMSG, "json", "what it sent is no JSON object"));
        if (json.contains("event")) {
            state_->events.push_back(std::move(frame->text));
            continue;
        }
        if (const auto error = json.find("error"); error != json.end())
            return std::unexpected(refusal_in(*error));
        const auto result = json.find("result");
        if (result == json.end() || json.value("id", OrderedJson()) != OrderedJson(number))
            return lost(system_error(EBADMSG, "json", "what it sent is no answer"));
        return Answer{result->dump(), std::move(frame->descriptors)};
    }
}

Result<std::string> ControlClient::next_event() {
    if (!state_->events.empty()) {
        auto event = std::move(state_->events.front());
        state_->events.pop_front();
        return event;
    }
    auto frame = state_->next_frame(std::nullopt);
    if (!frame)
        return not_reached(state_->path, "the VPN service has ended", std::move(frame).error());
    return std::move(frame->text);
}

Result<VpnSession> VpnSession::set_up(const VpnConfig& config, const std::string& path) {
    return set_up_text(json_text(config), path);
}

Result<VpnSession> VpnSession::set_up_text(const std::string& text, const std::string& path) {
    if (!OrderedJson::accept(text))
        return fail(Service::PARAMETER_ERROR, "the configuration is not JSON",
                    Evidence{{"field", "config"}});
    auto client = ControlClient::connect(path);
    if (!client) return pass(client);
    auto answer = client->ask("set_up", fmt::format(R"({{"config":{}}})", text));
    if (!answer) return pass(answer);
    const OrderedJson json = OrderedJson::parse(answer->json, nullptr, false);
    if (answer->descriptors.size() != 1)
        return not_reached(path, "the VPN service sent no TUN",
                           system_error(EBADMSG, "recvmsg", "no descriptor came with the answer"));
    return VpnSession(std::move(*client), text_of(json, "session"), text_of(json, "interface"),
                      std::move(answer->descriptors.front()));
}

VpnSession& VpnSession::operator=(VpnSession&& other) noexcept {
    if (this == &other) return *this;
    [[maybe_unused]] const auto undone = destroy();
    client_ = std::move(other.client_);
    id_ = std::exchange(other.id_, {});
    interface_ = std::move(other.interface_);
    tun_ = std::move(other.tun_);
    return *this;
}

VpnSession::~VpnSession() { [[maybe_unused]] const auto undone = destroy(); }

Result<void> VpnSession::protect(int socket) {
    auto answer = client_.ask("protect", "{}", {socket});
    if (!answer) return pass(answer);
    return {};
}

Result<std::string> VpnSession::status() {
    auto answer = client_.ask("status", fmt::format(R"({{"session":"{}"}})", id_));
    if (!answer) return pass(answer);
    return std::move(answer->json);
}

Result<void> VpnSession::destroy() {
    // Moved away from, or ended already.
    if (!tun_) return {};
    tun_.reset();
    auto answer = client_.ask("destroy", fmt::format(R"({{"session":"{}"}})", id_));
    if (!answer) return pass(answer);
    return {};
}

}  // namespace causeway::service
