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
#include "tests/fuzz/descriptors.h"
#include "tests/fuzz/input.h"

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

/// The frames of the stream and the errno at its end.
std::string story(ByteView stream, std::size_t step, std::size_t descriptors) {
    auto [near, theirs] = fuzz::connected();
    ControlStream ours{std::move(near)};
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
        fuzz::send_piece(theirs.get(), piece, std::exchange(descriptors, 0));
        is_open = read();
    });
    theirs.reset();
    if (is_open) (void)read();
    return told;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    const auto stream = fuzz::view(data, size).subspan(2);
    const int before = fuzz::next_descriptor();
    const auto in_pieces = story(stream, data[0] * 16 + 1, data[1] % 32);
    fuzz::require(in_pieces == story(stream, stream.size() + 1, 0));
    fuzz::require(fuzz::next_descriptor() == before);
    return 0;
}
