#include "causeway/gateway/control.h"

#include "causeway/base/text.h"
#include "causeway/error/json.h"
#include "causeway/gateway/limits.h"
#include "causeway/gateway/status.h"
#include "causeway/ipc/channel.h"
#include "causeway/program/listening.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace causeway::gateway {
namespace {

using Json = nlohmann::ordered_json;

std::int64_t seconds_until(Instant when) {
    return std::chrono::ceil<std::chrono::seconds>(when - Clock::now()).count();
}

std::string text_of(const std::optional<IpAddress>& address) {
    return address ? address->text() : std::string();
}

/// Only the reasons that there were.
Json json_of(const datapath::Drops& drops) {
    Json json = Json::object();
    for (std::size_t i = 0; i < datapath::drop_reasons; ++i)
        if (drops.by_reason[i] > 0)
            json[std::string(datapath::name(static_cast<datapath::Drop>(i)))] = drops.by_reason[i];
    return json;
}

Json json_of(const SessionView& view) {
    const Session& session = view.session;
    const auto& traffic = session.traffic;
    Json json{{"session", session.number},
              {"user", valid_utf8(session.user)},
              {"group", session.group_name},
              {"state", session.transport    ? "up"
                        : session.away_since ? "away"
                                             : "open"},
              {"client", session.client.text()},
              {"address", text_of(session.address4)},
              {"address6", text_of(session.address6)},
              {"since", iso8601(session.opened_at)},
              {"packets_in", traffic.packets_in},
              {"bytes_in", traffic.bytes_in},
              {"packets_out", traffic.packets_out},
              {"bytes_out", traffic.bytes_out},
              {"connects", session.connects},
              {"agent", valid_utf8(session.agent)},
              {"hostname", valid_utf8(session.hostname)}};
    if (session.ends) json["ends_in_seconds"] = seconds_until(*session.ends);
    if (view.live) {
        json["channel"] = view.live->channel;
        json["datagram_channel"] = view.live->datagram_channel;
        json["carried_by"] = view.live->is_carried_by_datagrams ? "datagrams" : "tls";
        json["dropped_in"] = view.live->drops_from_client.total();
        json["dropped_out"] = view.live->drops_for_client.total();
        json["drops_in"] = json_of(view.live->drops_from_client);
        json["drops_out"] = json_of(view.live->drops_for_client);
    }
    return json;
}

Json json_of(const Ban& ban) {
    return {{"from", ban.from.text()},
            {"seconds_left", seconds_until(ban.until)},
            {"failures", ban.failures}};
}

std::string error_text(const Error& error) {
    return Json{{"error", causeway::json_of(error)}}.dump();
}

/// A member of a foreign object, if it is there and text.
std::string text_member(const Json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

}  // namespace

struct ControlServer::Client {
    Client(Fd socket, bool may) : channel(std::move(socket)), may_ask(may) {}
    ipc::Channel channel;
    bool may_ask;
    EventLoop::Watch watch;
};

Result<Fd> ControlServer::open(const std::string& path) {
    return program::listen_at(path, static_cast<int>(control_client_limit));
}

ControlServer::ControlServer(EventLoop& loop, Fd socket, Operations& operations,
                             datapath::CryptoBackend crypto)
    : loop_(loop),
      socket_(std::move(socket)),
      operations_(operations),
      crypto_(crypto),
      watch_(loop.watch(socket_.get(), EPOLLIN, [this](auto) { accept_waiting(); })) {}

ControlServer::~ControlServer() = default;

void ControlServer::accept_waiting() {
    Fd fd(accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!fd || clients_.size() >= control_client_limit) return;
    const auto peer = ipc::peer_credentials(fd.get());
    const bool may_ask = peer && (peer->uid == 0 || peer->uid == geteuid());
    const auto number = ++last_number_;
    const int descriptor = fd.get();
    auto client = std::make_unique<Client>(std::move(fd), may_ask);
    client->watch = loop_.watch(descriptor, EPOLLIN, [this, number](auto) { on_ready(number); });
    clients_.emplace(number, std::move(client));
}

void ControlServer::on_ready(std::uint64_t number) {
    const auto found = clients_.find(number);
    if (found == clients_.end()) return;
    auto& channel = found->second->channel;
    if (!channel.flush()) {
        clients_.erase(found);
        return;
    }
    std::vector<std::string> questions;
    while (true) {
        auto message = channel.receive();
        // Gone, or no peer of ours: there is nobody to tell.
        if (!message) {
            clients_.erase(found);
            return;
        }
        if (!*message) break;
        questions.push_back((*message)->text);
    }
    found->second->watch.want(channel.wants_write() ? EPOLLIN | EPOLLOUT : EPOLLIN);
    for (const auto& question : questions) answer(number, question);
}

void ControlServer::send(std::uint64_t number, const std::string& json_text) {
    const auto found = clients_.find(number);
    if (found == clients_.end()) return;
    auto& client = *found->second;
    if (!client.channel.send(nlohmann::json::parse(json_text))) {
        clients_.erase(found);
        return;
    }
    client.watch.want(client.channel.wants_write() ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

void ControlServer::answer(std::uint64_t number, const std::string& question) {
    const auto found_client = clients_.find(number);
    if (found_client == clients_.end()) return;
    if (!found_client->second->may_ask)
        return send(number, error_text(Error{Service::PERMISSION_DENIED,
                                             "only root and the gateway's own user may ask it"}));
    const auto asked = parse_json(question);
    if (!asked) return send(number, error_text(asked.error()));
    const auto verb = text_member(*asked, "do");
    const auto argument = text_member(*asked, "argument");

    if (verb == "sessions")
        return operations_.list_sessions([this, number](std::vector<SessionView> views) {
            Json list = Json::array();
            for (const auto& view : views) list.push_back(json_of(view));
            send(number, Json{{"sessions", std::move(list)}}.dump());
        });
    if (verb == "status")
        return operations_.look_at_shards([this, number](const std::vector<Shard::Report>& shards) {
            send(number, status_json(shards, crypto_));
        });
    if (verb == "bans") {
        Json list = Json::array();
        for (const auto& ban : operations_.list_bans()) list.push_back(json_of(ban));
        return send(number, Json{{"bans", std::move(list)}}.dump());
    }
    if (verb == "disconnect")
        return operations_.disconnect(argument, [this, number](auto ended) {
            send(number, ended ? Json{{"ended", *ended}}.dump() : error_text(ended.error()));
        });
    if (verb == "unban") {
        const auto done = operations_.unban(argument);
        return send(number, done ? Json{{"unbanned", argument}}.dump() : error_text(done.error()));
    }
    if (verb == "incident") {
        const auto found = operations_.incident(argument);
        return send(number, found ? Json{{"incident", Json::parse(*found)}}.dump()
                                  : error_text(found.error()));
    }
    send(number, error_text(Error{Service::PARAMETER_ERROR,
                                  fmt::format("there is no command \"{}\"", printable(verb))}));
}

}  // namespace causeway::gateway
