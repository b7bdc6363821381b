// What any program may send to the control socket: bytes with descriptors beside them. However they
// are cut, the same frames come out, no descriptor is lost, and each frame is a request or is
// refused with a code and a sentence.
//
//     byte 0: how long the pieces are      byte 1: descriptors with the first piece
//     the rest: the stream

#include "causeway/base/text.h"
#include "causeway/service/control_stream.h"
#include "causeway/service/limits.h"
#include "causeway/service/request.h"
#include "causeway/service/vpn_config_json.h"
#include "tests/fuzz/input.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <array>
#include <cstring>

using namespace causeway;
using namespace causeway::service;

namespace {

void check_request(std::string_view text) {
    const auto request = parse_request(text);
    if (!request) {
        fuzz::require(request.error().error.code == Code(Service::PARAMETER_ERROR));
        const auto& detail = request.error().error.detail;
        fuzz::require(!detail.empty() && printable(detail) == detail);
        return;
    }
    fuzz::require(request->params.is_object());
    if (request->method != Method::set_up || !request->params.contains("config")) return;
    if (const auto config = vpn_config_from(request->params["config"]))
        fuzz::require(vpn_config_from(json_of(*config)) == *config);
}

void send_piece(int socket, ByteView bytes, std::size_t descriptors) {
    const Fd other(open("/dev/null", O_RDONLY | O_CLOEXEC));
    std::array<int, 32> numbers;
    numbers.fill(other.get());
    alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(sizeof numbers)> control{};
    iovec part{const_cast<std::byte*>(bytes.data()), bytes.size()};
    msghdr head{};
    head.msg_iov = &part;
    head.msg_iovlen = 1;
    if (descriptors > 0) {
        head.msg_control = control.data();
        head.msg_controllen = CMSG_SPACE(sizeof(int) * descriptors);
        cmsghdr* item = CMSG_FIRSTHDR(&head);
        item->cmsg_level = SOL_SOCKET;
        item->cmsg_type = SCM_RIGHTS;
        item->cmsg_len = CMSG_LEN(sizeof(int) * descriptors);
        std::memcpy(CMSG_DATA(item), numbers.data(), sizeof(int) * descriptors);
    }
    (void)sendmsg(socket, &head, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/// The frames of the stream and the errno at its end.
std::string story(ByteView stream, std::size_t step, std::size_t descriptors) {
    std::array<int, 2> ends;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) std::abort();
    ControlStream ours{Fd(ends[0])};
    Fd theirs(ends[1]);
    std::string told;
    const auto read = [&] {
        while (true) {
            auto frame = ours.receive();
            if (!frame) {
                told += frame.error().fact("errno");
                return false;
            }
            if (!*frame) return true;
            fuzz::require((*frame)->descriptors.size() <= descriptor_limit);
            check_request((*frame)->text);
            told += (*frame)->text + "\n";
        }
    };
    bool is_open = true;
    fuzz::in_pieces(stream, step, [&](ByteView piece) {
        if (!is_open) return;
        send_piece(theirs.get(), piece, std::exchange(descriptors, 0));
        is_open = read();
    });
    theirs.reset();
    if (is_open) (void)read();
    return told;
}

/// The lowest free number: it moves up when a descriptor is lost.
int next_descriptor() {
    const Fd fd(open("/dev/null", O_RDONLY | O_CLOEXEC));
    return fd.get();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    const auto stream = fuzz::view(data, size).subspan(2);
    const int before = next_descriptor();
    const auto in_pieces = story(stream, data[0] * 16 + 1, data[1] % 32);
    fuzz::require(in_pieces == story(stream, stream.size() + 1, 0));
    fuzz::require(next_descriptor() == before);
    return 0;
}
