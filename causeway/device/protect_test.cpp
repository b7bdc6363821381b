#include "causeway/device/protect.h"

#include "causeway/base/fd.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>

namespace causeway::device {
namespace {

std::string refusal(int descriptor) {
    const auto marked = protect(descriptor, mark_base | 1);
    REQUIRE_FALSE(marked.has_value());
    CHECK(marked.error().code == Code(Service::INVALID_SOCKET_FD));
    return std::string(marked.error().fact("errno"));
}

TEST_CASE("what is no open IP socket is refused, each with its own errno") {
    const Fd file(open("/dev/null", O_RDONLY | O_CLOEXEC));
    const Fd local(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    CHECK(refusal(-1) == "EBADF");
    CHECK(refusal(1 << 20) == "EBADF");
    CHECK(refusal(file.get()) == "ENOTSOCK");
    CHECK(refusal(local.get()) == "EAFNOSUPPORT");
}

}  // namespace
}  // namespace causeway::device
