// Names asked of real servers: UDP sockets on the loopback that answer as each case needs.

#include "causeway/provider/name_lookup.h"

#include <doctest/doctest.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <functional>
#include <map>
#include <optional>

namespace causeway::provider {
namespace {

constexpr std::uint16_t type_a = 1;
constexpr std::uint16_t type_aaaa = 28;

struct Question {
    std::string name;
    std::uint16_t type;
    std::size_t end;  // of the question in the packet
};

Question question_in(ByteView packet) {
    Question question{};
    std::size_t at = 12;
    while (packet[at] != std::byte{0}) {
        const auto length = std::to_integer<std::size_t>(packet[at]);
        if (!question.name.empty()) question.name += '.';
        question.name += as_text(packet.subspan(at + 1, length));
        at += length + 1;
    }
    question.type = big_endian_16(packet.subspan(at + 1, 2));
    question.end = at + 5;
    return question;
}

/// What to say to a question: an RCODE and addresses, or nothing at all.
struct Say {
    int code = 0;
    std::vector<IpAddress> addresses = {};
};
using Script = std::function<std::optional<Say>(const Question&)>;

Bytes answer_to(ByteView packet, const Question& question, const Say& say) {
    Bytes bytes = copy(packet.first(question.end));
    bytes[2] = std::byte{0x81};
    bytes[3] = static_cast<std::byte>(0x80 | say.code);
    bytes[7] = static_cast<std::byte>(say.addresses.size());
    bytes[10] = bytes[11] = std::byte{0};
    for (const auto& address : say.addresses) {
        put_big_endian_16(bytes, 0xc00c);
        put_big_endian_16(bytes, address.is_v4() ? type_a : type_aaaa);
        put_big_endian_16(bytes, 1);
        put_big_endian_32(bytes, 60);
        put_big_endian_16(bytes, static_cast<std::uint16_t>(address.bytes().size()));
        append(bytes, address.bytes());
    }
    return bytes;
}

class Server {
public:
    Server(EventLoop& loop, Script script) : script_(std::move(script)) {
        socket_.reset(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        sockaddr_storage storage;
        auto size = Endpoint{*IpAddress::parse("127.0.0.1"), 0}.to_sockaddr(storage);
        auto* address = reinterpret_cast<sockaddr*>(&storage);
        REQUIRE(bind(socket_.get(), address, size) == 0);
        getsockname(socket_.get(), address, &size);
        endpoint_ = *Endpoint::from_sockaddr(storage);
        watch_ = loop.watch(socket_.get(), EPOLLIN, [this](auto) { serve(); });
    }
    NameServer as_name_server() const { return {endpoint_.address, endpoint_.port}; }
    int asked() const { return asked_; }

private:
    void serve() {
        std::array<std::byte, 512> buffer;
        sockaddr_storage from;
        socklen_t size = sizeof from;
        const auto count = recvfrom(socket_.get(), buffer.data(), buffer.size(), 0,
                                    reinterpret_cast<sockaddr*>(&from), &size);
        if (count < 12) return;
        ++asked_;
        const auto packet = ByteView(buffer).first(static_cast<std::size_t>(count));
        const auto question = question_in(packet);
        const auto say = script_(question);
        if (!say) return;
        const auto bytes = answer_to(packet, question, *say);
        sendto(socket_.get(), bytes.data(), bytes.size(), 0, reinterpret_cast<sockaddr*>(&from),
               size);
    }

    Script script_;
    Fd socket_;
    Endpoint endpoint_;
    EventLoop::Watch watch_;
    int asked_ = 0;
};

struct Outcome {
    Result<Resolved> result = fail(Vpn::pluginFailed);
    std::chrono::milliseconds took{};
};

/// Short times, so that silence takes little time: 300 ms for a server, 1 s for all.
Deadlines short_deadlines() {
    Deadlines deadlines;
    deadlines.name_server = std::chrono::milliseconds(300);
    deadlines.resolve = std::chrono::milliseconds(1'000);
    return deadlines;
}

Outcome look_up(EventLoop& loop, const ResolverSettings& settings, const std::string& name,
                Protect protect = {}) {
    Outcome outcome;
    const auto start = Clock::now();
    NameLookup lookup(loop, settings, short_deadlines(), name, std::move(protect),
                      [&](Result<Resolved> result) {
                          outcome.result = std::move(result);
                          loop.stop();
                      });
    loop.run();
    outcome.took = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start);
    return outcome;
}

Script always(int code) {
    return [code](const Question&) { return Say{code}; };
}
std::optional<Say> silence(const Question&) { return std::nullopt; }

std::optional<Say> both_families(const Question& question) {
    return Say{0, {*IpAddress::parse(question.type == type_a ? "127.0.0.7" : "::1")}};
}

}  // namespace

TEST_CASE("an address needs no resolver") {
    EventLoop loop;
    const auto outcome = look_up(loop, {}, "2001:db8::1");
    REQUIRE(outcome.result);
    CHECK(outcome.result->addresses == std::vector{*IpAddress::parse("2001:db8::1")});
}

TEST_CASE("a name gets its addresses of both families") {
    EventLoop loop;
    Server server(loop, both_families);
    ResolverSettings settings;
    settings.servers = {server.as_name_server()};
    const auto outcome = look_up(loop, settings, "vpn.example.com");
    REQUIRE(outcome.result);
    CHECK(outcome.result->addresses.size() == 2);
    CHECK(outcome.result->source == server.as_name_server().text());
}

TEST_CASE("the hosts file goes before the name servers") {
    EventLoop loop;
    Server server(loop, both_families);
    ResolverSettings settings;
    settings.servers = {server.as_name_server()};
    settings.hosts = "192.0.2.9 vpn.example.com";
    const auto outcome = look_up(loop, settings, "vpn.example.com");
    REQUIRE(outcome.result);
    CHECK(outcome.result->source == "hosts file");
    CHECK(server.asked() == 0);
}

TEST_CASE("a server that swallows questions for IPv6 costs next to nothing") {
    EventLoop loop;
    Server server(loop, [](const Question& question) -> std::optional<Say> {
        if (question.type == type_aaaa) return std::nullopt;
        return Say{0, {*IpAddress::parse("127.0.0.7")}};
    });
    ResolverSettings settings;
    settings.servers = {server.as_name_server()};
    const auto outcome = look_up(loop, settings, "vpn.example.com");
    REQUIRE(outcome.result);
    CHECK(outcome.took < std::chrono::milliseconds(250));
}

TEST_CASE("each thing a name server can say ends in its own fact, with the server named") {
    struct Row {
        Script script;
        Resolver fact;
        std::string words;
    };
    const std::vector<Row> rows{
        {always(3), Resolver::NXDOMAIN, "there is no vpn.example.com"},
        {always(0), Resolver::NODATA, "no address"},
        {always(2), Resolver::SERVFAIL, "SERVFAIL"},
        {always(5), Resolver::REFUSED, "refuses"},
        {silence, Resolver::TIMEOUT, "did not answer"},
    };
    for (const auto& row : rows) {
        EventLoop loop;
        Server server(loop, row.script);
        ResolverSettings settings;
        settings.servers = {server.as_name_server()};
        const auto outcome = look_up(loop, settings, "vpn.example.com");
        REQUIRE_FALSE(outcome.result);
        const auto& error = outcome.result.error();
        CAPTURE(error.detail);
        CHECK(error.code == Code(Vpn::serverAddressResolutionFailed));
        CHECK(error.find(Code(row.fact)) != nullptr);
        CHECK(error.detail.find(row.words) != std::string::npos);
        CHECK(error.fact("resolver") == server.as_name_server().text());
    }
}

TEST_CASE("a server that nobody runs is told from one that is silent") {
    EventLoop loop;
    auto server = std::make_unique<Server>(loop, silence);
    ResolverSettings settings;
    settings.servers = {server->as_name_server()};
    server.reset();
    const auto outcome = look_up(loop, settings, "vpn.example.com");
    REQUIRE_FALSE(outcome.result);
    CHECK(outcome.result.error().find(Code(Resolver::UNREACHABLE)) != nullptr);
    CHECK(outcome.took < std::chrono::milliseconds(250));
}

TEST_CASE("the next server is asked when one is silent, and the silent one is remembered") {
    EventLoop loop;
    Server silent(loop, silence);
    Server broken(loop, always(2));
    Server good(loop, both_families);
    ResolverSettings settings;
    settings.servers = {silent.as_name_server(), broken.as_name_server(), good.as_name_server()};
    const auto outcome = look_up(loop, settings, "vpn.example.com");
    REQUIRE(outcome.result);
    CHECK(outcome.result->source == good.as_name_server().text());

    settings.servers.pop_back();
    const auto failed = look_up(loop, settings, "vpn.example.com");
    REQUIRE_FALSE(failed.result);
    const auto said = std::string(failed.result.error().fact("resolvers_said"));
    CHECK(said.find(silent.as_name_server().text() + " did not answer") != std::string::npos);
    CHECK(said.find("SERVFAIL") != std::string::npos);
}

TEST_CASE("all servers together have one deadline") {
    EventLoop loop;
    Server first(loop, silence), second(loop, silence);
    ResolverSettings settings;
    for (int i = 0; i < 8; ++i) settings.servers.push_back(first.as_name_server());
    const auto outcome = look_up(loop, settings, "vpn.example.com");
    REQUIRE_FALSE(outcome.result);
    CHECK(outcome.took < std::chrono::milliseconds(1'300));
}

TEST_CASE("a name unknown in the search domain is asked for as it is") {
    EventLoop loop;
    Server server(loop, [](const Question& question) -> std::optional<Say> {
        if (question.name != "vpn") return Say{3};
        return both_families(question);
    });
    ResolverSettings settings;
    settings.servers = {server.as_name_server()};
    settings.search = {"corp.example"};
    CHECK(look_up(loop, settings, "vpn").result);

    const auto unknown = look_up(loop, settings, "vpnn");
    REQUIRE_FALSE(unknown.result);
    CHECK(unknown.result.error().find(Code(Resolver::NXDOMAIN))->fact("name") == "vpnn");
}

TEST_CASE("without a resolver the report says so, and which file was looked at") {
    EventLoop loop;
    auto settings = read_resolver_settings("/nonexistent/resolv.conf", "/nonexistent/hosts");
    const auto outcome = look_up(loop, settings, "vpn.example.com");
    REQUIRE_FALSE(outcome.result);
    const auto& error = outcome.result.error();
    CHECK(error.find(Code(Resolver::NO_RESOLVER)) != nullptr);
    CHECK(error.find(Code::raw(Domain::system, ENOENT)) != nullptr);
}

TEST_CASE("a socket that may not leave the tunnel ends the lookup with the reason") {
    EventLoop loop;
    Server server(loop, both_families);
    ResolverSettings settings;
    settings.servers = {server.as_name_server()};
    const auto outcome = look_up(loop, settings, "vpn.example.com", [](int) -> Result<void> {
        return fail(Service::INVALID_SOCKET_FD, "the socket was refused");
    });
    REQUIRE_FALSE(outcome.result);
    CHECK(outcome.result.error().find(Code(Service::INVALID_SOCKET_FD)) != nullptr);
}

}  // namespace causeway::provider
