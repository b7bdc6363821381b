#include "causeway/service/bus_face.h"

#include "causeway/base/text.h"
#include "causeway/error/catalogue.h"
#include "causeway/error/json.h"
#include "causeway/error/names.h"
#include "causeway/service/bus_json.h"
#include "causeway/service/bus_method.h"

#include <fmt/format.h>
#include <sdbus-c++/Error.h>
#include <sdbus-c++/Flags.h>

#include <utility>

namespace causeway::service {
namespace {

/// Hears of all sessions, for the property that tells everybody which VPNs there are.
constexpr ConnectionId own_ear = bus_connection_first;
constexpr const char* vpns_property = "Vpns";

/// Who asks for what everybody may know.
Caller anybody() {
    Caller caller;
    caller.uid = static_cast<uid_t>(-1);
    return caller;
}

/// One sentence, and where to find the rest: common clients show nothing else.
std::string sentence(const Incident& incident) {
    const auto& error = incident.error;
    const auto& words = error.detail.empty() ? code_name(error.code) : error.detail;
    return printable(fmt::format("{} (incident {})", words, incident_id(incident.id)));
}

/// Written once: it cannot change while the service runs.
sdbus::Flags constant() {
    sdbus::Flags flags;
    flags.set(sdbus::Flags::CONST_PROPERTY_VALUE);
    return flags;
}

}  // namespace

Result<std::unique_ptr<BusFace>> BusFace::open(EventLoop& loop, const std::string& address,
                                               VpnService& service,
                                               std::function<void(const std::string&)> gone) {
    std::unique_ptr<BusFace> face(new BusFace(loop, service, std::move(gone)));
    auto link = BusLink::open(loop, address,
                              [raw = face.get()](const std::string& why) { raw->bus_gone(why); });
    if (!link) return pass(link);
    face->link_ = std::move(*link);
    try {
        face->describe();
        face->link_->connection().requestName(bus_service);
    } catch (const sdbus::Error& error) {
        return std::unexpected(bus_failure(error.getName(), error.getMessage(), "RequestName"));
    }
    face->link_->sent();
    service.set_authority(face->polkit_.get());
    service.handle({own_ear, -1, Caller{}, {0, Method::events, nlohmann::json::object()}, {}},
                   [](const Result<Answer>&) {});
    return face;
}

BusFace::BusFace(EventLoop& loop, VpnService& service, std::function<void(const std::string&)> gone)
    : loop_(loop), service_(service), gone_(std::move(gone)) {}

BusFace::~BusFace() { service_.set_authority(nullptr); }

void BusFace::describe() {
    callers_ = std::make_unique<BusCallers>(link_->connection(), [this](ConnectionId connection) {
        service_.connection_closed(connection);
    });
    polkit_ = std::make_unique<BusPolkit>(link_->connection(), [this] { link_->sent(); });
    object_ = sdbus::createObject(link_->connection(), bus_object);
    for (const auto& method : bus_methods())
        object_->registerMethod(
            bus_service, method.name, method.takes.types, method.takes.names, method.gives.types,
            method.gives.names,
            [this, &method](sdbus::MethodCall call) { called(method, {link_, std::move(call)}); });
    for (const auto& signal : bus_signals())
        object_->registerSignal(bus_service, signal.name, signal.brings.types, signal.brings.names);
    object_->registerProperty(
        bus_service, "Service", "s",
        [this](sdbus::PropertyGetReply& reply) {
            reply << public_status()["service"].get<std::string>();
        },
        constant());
    object_->registerProperty(
        bus_service, "Protocol", "u",
        [](sdbus::PropertyGetReply& reply) { reply << std::uint32_t{protocol_version}; },
        constant());
    object_->registerProperty(bus_service, vpns_property, "aa{sv}",
                              [this](sdbus::PropertyGetReply& reply) {
                                  const auto status = public_status();
                                  reply.openContainer("a{sv}");
                                  for (const auto& vpn : status.at("vpns")) append_json(reply, vpn);
                                  reply.closeContainer();
                              });
    object_->finishRegistration();
}

/// What was queued is written as far as the bus takes it; that the bus has gone is told elsewhere.
void BusFace::send(const std::function<void()>& action) {
    if (!link_) return;
    try {
        action();
    } catch (const sdbus::Error&) {
        // A caller or a bus that has gone: there is nobody to tell.
        return;
    }
    link_->sent();
}

// Calls

void BusFace::called(const BusMethod& method, BusCall call) {
    // As on the socket: what is asked now is not read, and its connection closes soon.
    if (!is_serving_) return;
    std::vector<Fd> descriptors;
    auto params = method.read(call.message, descriptors);
    callers_->find(call.message.getSender(), [this, &method, call, params = std::move(params),
                                              descriptors = std::move(descriptors)](
                                                 Result<const BusCaller*> caller) mutable {
        if (!caller) return refuse(call, anybody(), std::move(caller).error());
        if (!params) return refuse(call, (*caller)->caller, std::move(params).error());
        ask(method, call, **caller, {0, method.method, std::move(*params)}, std::move(descriptors));
    });
    // The bus is asked who it is.
    link_->sent();
}

void BusFace::ask(const BusMethod& method, const BusCall& call, const BusCaller& caller,
                  Request request, std::vector<Fd> descriptors) {
    service_.handle({caller.connection, -1, caller.caller, std::move(request),
                     std::move(descriptors), false, caller.process.get(), caller.name},
                    [this, &method, call, who = Asker{caller.connection, caller.caller}](
                        Result<Answer> result) { answer(method, call, std::move(result), who); });
}

void BusFace::answer(const BusMethod& method, const BusCall& call, Result<Answer> result,
                     const Asker& asker) {
    if (!result) return refuse(call, asker.caller, std::move(result).error());
    if (!link_) return;
    try {
        auto reply = call.message.createReply();
        method.write(reply, *result);
        reply.send();
        link_->sent();
    } catch (const sdbus::Error& error) {
        // Nobody has the TUN of such an answer.
        if (method.method == Method::set_up) take_back(asker, result->result["session"]);
        refuse(
            call, asker.caller,
            Error{Service::SYSTEM_INTERNAL_ERROR, "the answer cannot be sent", {{"step", "answer"}}}
                .because(bus_failure(error.getName(), error.getMessage(), "send")));
    }
}

void BusFace::take_back(const Asker& asker, const nlohmann::ordered_json& session) {
    service_.handle({asker.connection,
                     -1,
                     asker.caller,
                     {0, Method::destroy, nlohmann::json{{"session", session}}},
                     {}},
                    [](const Result<Answer>&) {});
}

void BusFace::refuse(const BusCall& call, const Caller& caller, Error error) {
    const auto incident = service_.record(caller, std::move(error));
    const sdbus::Error told(bus_error_prefix + code_name(incident.error.code), sentence(incident));
    send([&] { call.message.createErrorReply(told).send(); });
}

// Events

void BusFace::tell(ConnectionId connection, const std::string& json) {
    if (connection == own_ear) return announce_change();
    const auto* caller = callers_ ? callers_->find(connection) : nullptr;
    if (!caller) return;
    const auto event = nlohmann::ordered_json::parse(json);
    const auto& kind = bus_signal_of(event.at("event").get<std::string>());
    send([&] {
        auto signal = object_->createSignal(bus_service, kind.name);
        // For its eyes only: a broadcast would tell everybody of everybody's sessions.
        signal.setDestination(caller->name);
        kind.write(signal, event);
        signal.send();
    });
}

/// Once for all that changes in one turn, after it.
void BusFace::announce_change() {
    if (std::exchange(has_changed_, true)) return;
    loop_.post([this] {
        has_changed_ = false;
        send([&] { object_->emitPropertiesChangedSignal(bus_service, {vpns_property}); });
    });
}

nlohmann::ordered_json BusFace::public_status() {
    nlohmann::ordered_json status;
    service_.handle({own_ear, -1, anybody(), {0, Method::status, nlohmann::json::object()}, {}},
                    [&](Result<Answer> result) {
                        if (result) status = std::move(result->result);
                    });
    return status;
}

void BusFace::bus_gone(const std::string& why) {
    service_.set_authority(nullptr);
    callers_->clear();
    service_.connection_closed(own_ear);
    object_.reset();
    polkit_.reset();
    callers_.reset();
    link_.reset();
    gone_(why);
}

}  // namespace causeway::service
