#include "causeway/ipc/channel.h"

#include "causeway/base/text.h"
#include "causeway/ipc/limits.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

namespace causeway::ipc {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

struct Ends {
    Channel here;
    Channel there;
};

Ends connected() {
    auto ends = Channel::pair();
    REQUIRE(ends.has_value());
    return {std::move(ends->first), std::move(ends->second)};
}

/// A channel whose other end is written to by hand.
struct Raw {
    Channel channel;
    Fd peer;
};

Raw raw() {
    std::array<int, 2> ends;
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
    return {Channel(Fd(ends[0])), Fd(ends[1])};
}

void write_bytes(const Fd& to, ByteView bytes) {
    REQUIRE(write(to.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
}

void write_with_descriptors(const Fd& to, ByteView bytes, std::size_t count) {
    std::vector<int> numbers(count, STDERR_FILENO);
    std::vector<std::byte> control(CMSG_SPACE(sizeof(int) * count));
    iovec part{const_cast<std::byte*>(bytes.data()), bytes.size()};
    msghdr head{};
    head.msg_iov = &part;
    head.msg_iovlen = 1;
    head.msg_control = control.data();
    head.msg_controllen = control.size();
    cmsghdr* item = CMSG_FIRSTHDR(&head);
    item->cmsg_level = SOL_SOCKET;
    item->cmsg_type = SCM_RIGHTS;
    item->cmsg_len = CMSG_LEN(sizeof(int) * count);
    memcpy(CMSG_DATA(item), numbers.data(), sizeof(int) * count);
    REQUIRE(sendmsg(to.get(), &head, 0) == static_cast<ssize_t>(bytes.size()));
}

std::string failure(Channel& channel) {
    const auto message = channel.receive();
    REQUIRE_FALSE(message.has_value());
    return std::string(message.error().fact("errno")) + ": " + message.error().detail;
}

std::size_t open_descriptors() {
    const auto all = std::filesystem::directory_iterator("/proc/self/fd");
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

std::pair<dev_t, ino_t> identity(const Fd& fd) {
    struct stat facts{};
    REQUIRE(fstat(fd.get(), &facts) == 0);
    return {facts.st_dev, facts.st_ino};
}

std::vector<Fd> descriptors(std::size_t count) {
    std::vector<Fd> made;
    made.reserve(count);
    for (std::size_t i = 0; i < count; ++i)
        made.emplace_back(open("/dev/null", O_RDONLY | O_CLOEXEC));
    return made;
}

TEST_CASE("a message arrives as it was sent, and nothing follows it") {
    auto [here, there] = connected();
    REQUIRE(here.send({{"type", "event"}, {"n", 7}}).has_value());
    const auto message = there.receive();
    REQUIRE(message.has_value());
    REQUIRE(message->has_value());
    CHECK((*message)->json() == json{{"type", "event"}, {"n", 7}});
    CHECK((*message)->descriptors.empty());
    CHECK_FALSE(there.receive().value().has_value());
}

TEST_CASE("descriptors arrive with the message that announced them, close-on-exec") {
    auto [here, there] = connected();
    Fd file(open("/dev/zero", O_RDONLY | O_CLOEXEC));
    const auto wanted = identity(file);
    std::vector<Fd> sent;
    sent.push_back(std::move(file));

    REQUIRE(here.send({{"n", 1}}).has_value());
    REQUIRE(here.send({{"n", 2}}, std::move(sent)).has_value());
    REQUIRE(here.send({{"n", 3}}).has_value());

    CHECK(there.receive().value()->descriptors.empty());
    const auto second = there.receive().value();
    REQUIRE(second->descriptors.size() == 1);
    CHECK(identity(second->descriptors[0]) == wanted);
    CHECK((fcntl(second->descriptors[0].get(), F_GETFD) & FD_CLOEXEC) != 0);
    CHECK(there.receive().value()->json()["n"] == 3);
}

TEST_CASE("many messages with many descriptors keep them apart") {
    auto [here, there] = connected();
    for (std::size_t round = 0; round < 50; ++round) {
        const std::size_t count = round % (descriptor_limit + 1);
        REQUIRE(here.send({{"count", count}}, descriptors(count)).has_value());
    }
    for (std::size_t round = 0; round < 50; ++round) {
        const auto message = there.receive().value();
        REQUIRE(message.has_value());
        CHECK(message->descriptors.size() == message->json()["count"].get<std::size_t>());
    }
}

TEST_CASE("a peer that goes away between messages closes, inside one it breaks off") {
    auto [here, there] = connected();
    REQUIRE(here.send({{"last", true}}).has_value());
    here = Channel(Fd());
    CHECK(there.receive().value().has_value());
    CHECK(failure(there) == "EPIPE: the other process closed the channel");
    CHECK(there.is_closed());

    auto cut = raw();
    write_bytes(cut.peer, ByteView(frame("{}")).first(5));
    cut.peer.reset();
    CHECK(failure(cut.channel) ==
          "ECONNRESET: the other process closed the channel in the middle of a message");
    CHECK_FALSE(cut.channel.is_closed());
}

TEST_CASE("garbage is refused, and so is everything after it") {
    auto [channel, peer] = raw();
    write_bytes(peer, as_bytes("GET / HTTP/1.1\r\n\r\n"));
    CHECK(failure(channel) == "EMSGSIZE: a message of 1195725856 bytes, limit 1048576");
    CHECK(failure(channel) == "EMSGSIZE: a message of 1195725856 bytes, limit 1048576");
    CHECK_FALSE(channel.send({{"a", 1}}).has_value());
}

TEST_CASE("descriptors that are missing, too many or unannounced are refused") {
    auto missing = raw();
    write_bytes(missing.peer, frame(R"({"descriptors":2})"));
    CHECK(failure(missing.channel) == "EBADMSG: a message announced 2 descriptors and 0 came");

    auto many = raw();
    write_with_descriptors(many.peer, frame(R"({"descriptors":9})"), 9);
    CHECK(failure(many.channel) ==
          "EBADMSG: more descriptors arrived than the 8 a message may have");

    auto unannounced = raw();
    write_with_descriptors(unannounced.peer, frame("{}"), 1);
    CHECK(unannounced.channel.receive().value().has_value());
    CHECK(failure(unannounced.channel) == "EBADMSG: descriptors arrived that no message announced");
}

TEST_CASE("descriptors that are refused or not sent do not stay open") {
    const auto before = open_descriptors();
    {
        auto many = raw();
        write_with_descriptors(many.peer, frame(R"({"descriptors":100})"), 100);
        CHECK_FALSE(many.channel.receive().has_value());
        auto [here, there] = connected();
        CHECK_FALSE(here.send({{"a", 1}}, descriptors(descriptor_limit + 1)).has_value());
        CHECK_FALSE(here.send(json::array(), descriptors(1)).has_value());
        REQUIRE(here.send({{"a", 1}}, descriptors(3)).has_value());
    }
    CHECK(open_descriptors() == before);
}

TEST_CASE("a peer that does not read fills the queue, not the memory") {
    auto [here, there] = connected();
    const std::string text(512 * 1024, 'x');
    Result<void> sent;
    int count = 0;
    while (sent && count < 100) {
        sent = here.send({{"text", text}});
        ++count;
    }
    REQUIRE_FALSE(sent.has_value());
    CHECK(sent.error().fact("errno") == "ENOBUFS");
    CHECK(here.wants_write());

    int received = 0;
    while (here.wants_write()) {
        REQUIRE(here.flush().has_value());
        while (there.receive().value()) ++received;
    }
    while (there.receive().value()) ++received;
    CHECK(received == count - 1);
}

TEST_CASE("text that is not UTF-8 is replaced, not refused") {
    auto [here, there] = connected();
    REQUIRE(here.send({{"banner", "caf\xe9"}}).has_value());
    CHECK(there.receive().value()->json()["banner"] == "caf\xef\xbf\xbd");
}

TEST_CASE("a question waits for its own answer and keeps what comes before it") {
    auto [here, there] = connected();
    std::thread other([&there] {
        while (true) {
            auto question = there.receive();
            if (!question || !*question) {
                std::this_thread::sleep_for(1ms);
                continue;
            }
            CHECK((*question)->descriptors.size() == 1);
            REQUIRE(there.send({{"type", "stop"}}).has_value());
            REQUIRE(there.answer(**question, {{"protected", true}}).has_value());
            return;
        }
    });
    const auto answer = here.ask({{"type", "protect"}}, descriptors(1), 5s);
    other.join();
    REQUIRE(answer.has_value());
    CHECK(answer->json()["protected"] == true);
    const auto kept = here.receive().value();
    REQUIRE(kept.has_value());
    CHECK(kept->json()["type"] == "stop");
}

TEST_CASE("a question without an answer ends in time, and its late answer disturbs nobody") {
    auto [here, there] = connected();
    const auto start = Clock::now();
    const auto answer = here.ask({{"type", "protect"}}, {}, 30ms);
    REQUIRE_FALSE(answer.has_value());
    CHECK(answer.error().fact("errno") == "ETIMEDOUT");
    CHECK(Clock::now() - start < 2s);

    const auto question = there.receive().value();
    REQUIRE(there.answer(*question, {{"late", true}}).has_value());
    std::thread other([&there] {
        while (true) {
            auto second = there.receive();
            if (second && *second) return (void)there.answer(**second, {{"late", false}});
            std::this_thread::sleep_for(1ms);
        }
    });
    const auto next = here.ask({{"type", "again"}}, {}, 5s);
    other.join();
    REQUIRE(next.has_value());
    CHECK(next->json()["late"] == false);
}

TEST_CASE("a question to a process that has gone ends at once") {
    auto [here, there] = connected();
    there = Channel(Fd());
    const auto answer = here.ask({{"type", "protect"}}, {}, 5s);
    REQUIRE_FALSE(answer.has_value());
    CHECK(answer.error().fact("errno") == "EPIPE");
}

TEST_CASE("the peer of a socket pair is this process") {
    auto [here, there] = connected();
    const auto peer = peer_credentials(here.fd());
    REQUIRE(peer.has_value());
    CHECK(peer->pid == getpid());
    CHECK(peer->uid == getuid());
    CHECK(peer->gid == getgid());

    const Fd file(open("/dev/null", O_RDONLY | O_CLOEXEC));
    const auto none = peer_credentials(file.get());
    REQUIRE_FALSE(none.has_value());
    CHECK(none.error().fact("errno") == "ENOTSOCK");
}

}  // namespace
}  // namespace causeway::ipc
