#include "causeway/service/control_stream.h"

#include "causeway/ipc/frame.h"
#include "causeway/service/limits.h"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>

#include <array>
#include <cstring>
#include <string>

namespace causeway::service {
namespace {

std::array<Fd, 2> ends() {
    std::array<int, 2> numbers{};
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, numbers.data()) == 0);
    return {Fd(numbers[0]), Fd(numbers[1])};
}

void send_with(int socket, ByteView bytes, std::size_t descriptors) {
    const Fd other(open("/dev/null", O_RDONLY | O_CLOEXEC));
    std::vector<int> numbers(descriptors, other.get());
    std::vector<std::byte> control(CMSG_SPACE(sizeof(int) * descriptors));
    iovec part{const_cast<std::byte*>(bytes.data()), bytes.size()};
    msghdr head{};
    head.msg_iov = &part;
    head.msg_iovlen = 1;
    if (descriptors > 0) {
        head.msg_control = control.data();
        head.msg_controllen = control.size();
        cmsghdr* item = CMSG_FIRSTHDR(&head);
        item->cmsg_level = SOL_SOCKET;
        item->cmsg_type = SCM_RIGHTS;
        item->cmsg_len = CMSG_LEN(sizeof(int) * descriptors);
        std::memcpy(CMSG_DATA(item), numbers.data(), sizeof(int) * descriptors);
    }
    REQUIRE(sendmsg(socket, &head, 0) == static_cast<ssize_t>(bytes.size()));
}

/// "TEXT+DESCRIPTORS" of every frame that is there, and the errno at the end.
std::string story(ControlStream& stream) {
    std::string text;
    while (true) {
        const auto frame = stream.receive();
        if (!frame) return text + std::string(frame.error().fact("errno"));
        if (!*frame) return text + "…";
        text += fmt::format("{}+{}{} ", (*frame)->text, (*frame)->descriptors.size(),
                            (*frame)->has_too_many_descriptors ? "!" : "");
    }
}

TEST_CASE("a stream of frames may be cut anywhere") {
    Bytes bytes = ipc::frame("{}");
    append(bytes, ipc::frame(R"({"id":1,"method":"status"})"));
    for (std::size_t step = 1; step <= bytes.size(); ++step) {
        auto [ours, theirs] = ends();
        ControlStream stream(std::move(ours));
        std::string told;
        for (std::size_t at = 0; at < bytes.size(); at += step) {
            send_with(theirs.get(), ByteView(bytes).subspan(at, std::min(step, bytes.size() - at)),
                      0);
            told += story(stream);
        }
        std::erase_if(told, [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
        CHECK(told == R"({}+0 {"id":1,"method":"status"}+0 )");
        theirs.reset();
        CHECK(story(stream) == "EPIPE");
    }
}

TEST_CASE("a descriptor belongs to the frame whose bytes it came with") {
    auto [ours, theirs] = ends();
    ControlStream stream(std::move(ours));
    const Bytes first = ipc::frame("{\"id\":1}");
    const Bytes second = ipc::frame("{\"id\":2}");
    send_with(theirs.get(), first, 0);
    send_with(theirs.get(), second, 1);
    // Announced by nothing, and beside the middle of the frame.
    send_with(theirs.get(), ByteView(first).first(6), 0);
    send_with(theirs.get(), ByteView(first).subspan(6), 2);
    send_with(theirs.get(), second, 0);
    CHECK(story(stream) == "{\"id\":1}+0 {\"id\":2}+1 {\"id\":1}+2 {\"id\":2}+0 …");
}

TEST_CASE("descriptors beyond the limit are closed, and the frame says so") {
    auto [ours, theirs] = ends();
    ControlStream stream(std::move(ours));
    const Fd before(dup(0));
    send_with(theirs.get(), ipc::frame("{}"), 200);
    send_with(theirs.get(), ipc::frame("{}"), descriptor_limit);
    CHECK(story(stream) == fmt::format("{{}}+0! {{}}+{} …", descriptor_limit));
    const Fd after(dup(0));
    CHECK(after.get() == before.get() + 1);
}

TEST_CASE("a frame that is too long is refused before its text arrives") {
    auto [ours, theirs] = ends();
    ControlStream stream(std::move(ours));
    Bytes header;
    put_big_endian_32(header, 0xffffffff);
    send_with(theirs.get(), header, 0);
    CHECK(story(stream) == "EMSGSIZE");
    CHECK(story(stream) == "EMSGSIZE");
    CHECK(stream.send("{}").has_value());
    ControlStream other(std::move(theirs));
    CHECK(story(other) == "{}+0 …");
}

TEST_CASE("an end inside a frame is told from one between two") {
    auto [ours, theirs] = ends();
    ControlStream stream(std::move(ours));
    send_with(theirs.get(), ByteView(ipc::frame("{}")).first(5), 0);
    CHECK(story(stream) == "…");
    CHECK(stream.unfinished() == 5);
    theirs.reset();
    CHECK(story(stream) == "ECONNRESET");
}

TEST_CASE("what is sent arrives whole, however large, with its descriptor") {
    auto [ours, theirs] = ends();
    ControlStream left(std::move(ours));
    ControlStream right(std::move(theirs));
    const std::string large = "{\"a\":\"" + std::string(1'500'000, 'x') + "\"}";
    std::vector<Fd> descriptors;
    descriptors.emplace_back(open("/dev/null", O_RDONLY | O_CLOEXEC));
    REQUIRE(left.send(large, std::move(descriptors)).has_value());
    CHECK(left.wants_write());
    std::optional<ControlFrame> frame;
    while (!frame) {
        REQUIRE(left.flush().has_value());
        auto received = right.receive();
        REQUIRE(received.has_value());
        frame = std::move(*received);
    }
    CHECK(frame->text == large);
    CHECK(frame->descriptors.size() == 1);
    CHECK(!left.wants_write());
}

TEST_CASE("who does not read is not waited for without end") {
    auto [ours, theirs] = ends();
    ControlStream stream(std::move(ours));
    const std::string large = "{\"a\":\"" + std::string(1'000'000, 'x') + "\"}";
    std::string errno_name;
    for (int i = 0; i < 20 && errno_name.empty(); ++i)
        if (auto sent = stream.send(large); !sent) errno_name = sent.error().fact("errno");
    CHECK(errno_name == "ENOBUFS");
}

}  // namespace
}  // namespace causeway::service
