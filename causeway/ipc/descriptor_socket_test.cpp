#include "causeway/ipc/descriptor_socket.h"

#include "causeway/ipc/limits.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>

#include <array>

namespace causeway::ipc {
namespace {

struct SocketPair {
    Fd near, far;

    SocketPair() {
        std::array<int, 2> ends;
        REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
        near = Fd(ends[0]);
        far = Fd(ends[1]);
        REQUIRE(make_non_blocking(near.get()).has_value());
        REQUIRE(make_non_blocking(far.get()).has_value());
    }
};

std::vector<Fd> some_files(std::size_t count) {
    std::vector<Fd> files;
    for (std::size_t i = 0; i < count; ++i)
        files.emplace_back(open("/dev/null", O_RDONLY | O_CLOEXEC));
    return files;
}

TEST_CASE("what does not fit waits, and arrives in order with its descriptors") {
    const SocketPair ends;
    SendQueue queue;
    for (std::size_t i = 1; i <= descriptor_limit; ++i)
        queue.push(Bytes(200'000, static_cast<std::byte>(i)), some_files(i));
    REQUIRE(queue.flush(ends.near.get()).has_value());
    CHECK_FALSE(queue.is_empty());

    std::vector<Fd> descriptors;
    Bytes arrived;
    std::array<std::byte, 65536> buffer;
    while (arrived.size() < descriptor_limit * 200'000) {
        const auto arrival = receive(ends.far.get(), buffer, descriptors);
        REQUIRE(arrival.has_value());
        if (*arrival) {
            CHECK_FALSE((*arrival)->is_incomplete);
            append(arrived, ByteView(buffer).first((*arrival)->count));
        }
        REQUIRE(queue.flush(ends.near.get()).has_value());
    }
    CHECK(queue.is_empty());
    CHECK(queue.bytes() == 0);
    CHECK(descriptors.size() == descriptor_limit * (descriptor_limit + 1) / 2);
    CHECK(arrived.front() == std::byte{1});
    CHECK(arrived.back() == std::byte{descriptor_limit});
}

TEST_CASE("nothing yet, the end and a failure are told apart") {
    SocketPair ends;
    std::vector<Fd> descriptors;
    std::array<std::byte, 16> buffer;
    const auto nothing = receive(ends.far.get(), buffer, descriptors);
    REQUIRE(nothing.has_value());
    CHECK_FALSE(nothing->has_value());
    ends.near.reset();
    const auto end = receive(ends.far.get(), buffer, descriptors);
    REQUIRE(end.has_value());
    REQUIRE(end->has_value());
    CHECK((*end)->count == 0);
    CHECK(receive(-1, buffer, descriptors).error().fact("errno") == "EBADF");
}

TEST_CASE("a socket's path that is too long or leads nowhere is refused") {
    CHECK(connect_to("/" + std::string(200, 'x')).error().fact("errno") == "ENAMETOOLONG");
    CHECK(connect_to("/nowhere/control.sock").error().fact("errno") == "ENOENT");
}

}  // namespace
}  // namespace causeway::ipc
