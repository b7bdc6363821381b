#include "causeway/service/bus_polkit.h"

#include "causeway/base/text.h"
#include "causeway/service/limits.h"

#include <fmt/format.h>
#include <sdbus-c++/Error.h>
#include <sdbus-c++/Types.h>

#include <map>
#include <string>
#include <utility>

namespace causeway::service {
namespace {

constexpr const char* name = "org.freedesktop.PolicyKit1";
constexpr const char* authority = "/org/freedesktop/PolicyKit1/Authority";
constexpr const char* interface = "org.freedesktop.PolicyKit1.Authority";
/// Whoever calls wants it now: a person at the machine may be asked.
constexpr std::uint32_t allow_user_interaction = 1;

using Facts = std::map<std::string, sdbus::Variant>;
using PolkitSubject = sdbus::Struct<std::string, Facts>;
using Authorization = sdbus::Struct<bool, bool, std::map<std::string, std::string>>;

const char* action_of(Right right) {
    switch (right) {
        case Right::own: return "org.causeway.service1.own";
        case Right::consent: return "org.causeway.service1.consent";
        case Right::administer: break;
    }
    return "org.causeway.service1.administer";
}

/// The number of a process may be somebody else's by now: polkit holds it against the user.
PolkitSubject subject_of(const Subject& subject) {
    if (!subject.bus_name.empty())
        return {"system-bus-name", Facts{{"name", sdbus::Variant(subject.bus_name)}}};
    return {"unix-process",
            Facts{{"pid", sdbus::Variant(static_cast<std::uint32_t>(subject.caller.pid))},
                  {"start-time", sdbus::Variant(std::uint64_t{0})},
                  {"uid", sdbus::Variant(static_cast<std::int32_t>(subject.caller.uid))}}};
}

std::string cancellation_id(std::uint64_t question) { return fmt::format("causeway-{}", question); }

Verdict verdict_of(const sdbus::Error* failure, const Authorization& authorization,
                   const char* action) {
    if (failure) {
        const auto& kind = failure->getName();
        const bool is_absent =
            kind.ends_with(".ServiceUnknown") || kind.ends_with(".NameHasNoOwner");
        if (is_absent) return {false, ""};
        return {false,
                printable(fmt::format("{} could not be asked: {}", action, failure->getMessage()))};
    }
    if (authorization.get<0>()) return {true, ""};
    // Somebody would have to prove who he is, and nobody was there to ask him, or he did not.
    if (authorization.get<1>())
        return {false, fmt::format("{} needs an authentication that was not given", action)};
    return {false, fmt::format("{} is denied", action)};
}

}  // namespace

BusPolkit::BusPolkit(sdbus::IConnection& connection, std::function<void()> sent)
    : sent_(std::move(sent)), polkit_(sdbus::createProxy(connection, name, authority)) {}

BusPolkit::~BusPolkit() {
    for (auto& [question, done] : std::exchange(open_, {})) done({false, ""});
}

void BusPolkit::ask(std::uint64_t question, Right right, const Subject& subject, Done done) {
    open_.emplace(question, std::move(done));
    try {
        polkit_->callMethodAsync("CheckAuthorization")
            .onInterface(interface)
            .withTimeout(authority_time_limit)
            .withArguments(subject_of(subject), action_of(right),
                           std::map<std::string, std::string>{}, allow_user_interaction,
                           cancellation_id(question))
            .uponReplyInvoke([this, question, action = action_of(right)](
                                 const sdbus::Error* failure, const Authorization& authorization) {
                answered(question, verdict_of(failure, authorization, action));
            });
    } catch (const sdbus::Error& error) {
        return answered(question, verdict_of(&error, {}, action_of(right)));
    }
    sent_();
}

void BusPolkit::answered(std::uint64_t question, Verdict verdict) {
    auto asked = open_.extract(question);
    if (!asked.empty()) asked.mapped()(std::move(verdict));
}

void BusPolkit::cancel(std::uint64_t question) {
    if (open_.erase(question) == 0) return;
    try {
        polkit_->callMethodAsync("CancelCheckAuthorization")
            .onInterface(interface)
            .withArguments(cancellation_id(question))
            // It has been decided meanwhile, or is not any more: either is an end.
            .uponReplyInvoke([](const sdbus::Error*) {});
    } catch (const sdbus::Error&) {
        // The bus has gone, and polkit's question with it.
        return;
    }
    sent_();
}

}  // namespace causeway::service
