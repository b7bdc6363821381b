#include "causeway/provider/name_lookup_error.h"

#include "causeway/base/text.h"
#include "causeway/provider/route_probe.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <memory>

namespace causeway::provider {
namespace {

Code code_of(NameAnswer answer) {
    switch (answer) {
        case NameAnswer::no_such_name: return Resolver::NXDOMAIN;
        case NameAnswer::found:
        case NameAnswer::no_address: return Resolver::NODATA;
        case NameAnswer::server_failure: return Resolver::SERVFAIL;
        case NameAnswer::refused: return Resolver::REFUSED;
        case NameAnswer::unreachable: return Resolver::UNREACHABLE;
        case NameAnswer::malformed: return Resolver::BAD_ANSWER;
        case NameAnswer::no_answer: return Resolver::TIMEOUT;
    }
    return Resolver::TIMEOUT;
}

/// "the resolver 192.0.2.53 did not answer"
std::string sentence(const ServerStatement& said) {
    auto server = "the resolver " + said.server.text();
    const auto name = printable(said.name);
    switch (said.answer) {
        case NameAnswer::no_such_name:
            return fmt::format("{} says that there is no {}", server, name);
        case NameAnswer::found:
        case NameAnswer::no_address:
            return fmt::format("{} knows {}, but no address of it", server, name);
        case NameAnswer::server_failure: return server + " could not find out (SERVFAIL)";
        case NameAnswer::refused: return server + " refuses to answer this machine";
        case NameAnswer::malformed: return server + " sent an answer that cannot be read";
        case NameAnswer::no_answer: return server + " did not answer";
        case NameAnswer::unreachable:
            if (said.cause) return server + " could not be asked: " + said.cause->detail;
            return said.route_fault ? "no route leads to " + server
                                    : "nothing answers questions for names at " + server;
    }
    return server;
}

Error fact(const ServerStatement& said) {
    Error error{code_of(said.answer), sentence(said)};
    error.with("resolver", said.server.text()).with("name", said.name);
    if (said.cause) return std::move(error).because(*said.cause);
    if (said.route_fault)
        return std::move(error).because(system_error(said.route_fault, "connect"));
    return error;
}

/// The statement that says most: the first that settled the name as it was asked for, else the
/// last settled one, else the first.
const ServerStatement& telling(const std::string& name,
                               const std::vector<ServerStatement>& statements) {
    const auto settled = [](const ServerStatement& said) {
        return said.answer == NameAnswer::no_such_name || said.answer == NameAnswer::no_address;
    };
    const auto plain = std::ranges::find_if(statements, [&](const ServerStatement& said) {
        return settled(said) && (said.name == name || said.name + "." == name);
    });
    if (plain != statements.end() && settled(statements.back())) return *plain;
    // The last server that was asked decided: it failed, so the name is not settled.
    return settled(statements.back()) ? statements.back() : statements.front();
}

}  // namespace

ServerStatement statement(const NameServer& server, std::string name, NameReply reply) {
    ServerStatement said{server, std::move(name), reply.answer, std::move(reply.cause)};
    if (said.answer == NameAnswer::unreachable || said.answer == NameAnswer::no_answer)
        said.route_fault = route_fault({server.address, server.port});
    return said;
}

Error resolution_failure(const std::string& name, const std::vector<ServerStatement>& statements) {
    std::vector<std::string> sentences;
    for (const auto& said : statements) sentences.push_back(sentence(said));
    const bool offline = std::ranges::all_of(
        statements, [](const ServerStatement& said) { return said.route_fault == ENETUNREACH; });
    const auto& main = telling(name, statements);
    Error error{offline ? Vpn::noNetworkAvailable : Vpn::serverAddressResolutionFailed,
                fmt::format("{} has no known address: {}", printable(name), join(sentences, "; "))};
    error.with("server", name).with("resolver", main.server.text());
    if (statements.size() > 1) error.with("resolvers_said", join(sentences, "; "));
    return std::move(error).because(fact(main));
}

Error no_resolver(const std::string& name, const ResolverSettings& settings) {
    Error fact{Resolver::NO_RESOLVER, settings.source + " names no resolver"};
    fact.with("file", settings.source);
    if (settings.unreadable) {
        fact.detail = settings.source + " cannot be read";
        fact.cause = std::make_shared<const Error>(system_error(settings.unreadable, "open"));
    }
    Error error{
        Vpn::serverAddressResolutionFailed,
        fmt::format("no resolver is configured, so nobody can be asked for {}", printable(name))};
    error.with("server", name);
    return std::move(error).because(std::move(fact));
}

Error only_ipv6(const std::string& name, const NameServer& server,
                const std::vector<IpAddress>& addresses) {
    const int fault = route_fault({addresses.front(), 443});
    std::vector<std::string> texts;
    for (const auto& address : addresses) texts.push_back(address.text());
    Error fact{Resolver::NO_USABLE_FAMILY, "IPv6 is not available on this machine or network"};
    fact.with("resolver", server.text()).with("addresses", join(texts, ", "));
    if (fault) fact.cause = std::make_shared<const Error>(system_error(fault, "connect"));
    Error error{
        Vpn::serverAddressResolutionFailed,
        fmt::format("{} has only IPv6 addresses, and no way leads out in IPv6", printable(name))};
    error.with("server", name).with("resolver", server.text());
    return std::move(error).because(std::move(fact));
}

}  // namespace causeway::provider
