// The channel between our processes, from any bytes with any number of descriptors beside them: the
// stream means the same however it is cut, nothing but objects comes out, no descriptor is lost.
//
//     byte 0: how long the pieces are      byte 1: descriptors with the first piece
//     the rest: the stream

#include "causeway/ipc/channel.h"
#include "causeway/ipc/frame.h"
#include "causeway/ipc/limits.h"
#include "tests/fuzz/descriptors.h"
#include "tests/fuzz/input.h"

namespace {

using namespace causeway;

/// The texts of a stream in pieces, and the errno that ended it.
std::string read_frames(ByteView stream, std::size_t step) {
    ipc::FrameReader reader;
    std::string story;
    bool is_open = true;
    fuzz::in_pieces(stream, step, [&](ByteView piece) {
        if (!is_open) return;
        reader.feed(piece);
        auto text = reader.next();
        for (; text && *text; text = reader.next()) story += **text + "\n";
        is_open = text.has_value();
        if (!is_open) story += text.error().fact("errno");
    });
    return story;
}

/// Reads until the end; every message must be an object with the descriptors it announced.
void read_channel(ByteView stream, std::size_t descriptors) {
    auto [near, peer] = fuzz::connected();
    ipc::Channel channel{std::move(near)};
    fuzz::send_piece(peer.get(), stream, descriptors);
    peer.reset();
    while (auto message = channel.receive()) {
        fuzz::require(message->has_value());
        fuzz::require((*message)->text.starts_with('{'));
        fuzz::require((*message)->descriptors.size() <= ipc::descriptor_limit);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    const auto stream = fuzz::view(data, size).subspan(2);
    fuzz::require(read_frames(stream, data[0]) == read_frames(stream, stream.size() + 1));

    const int before = fuzz::next_descriptor();
    read_channel(stream, data[1] % 32);
    fuzz::require(fuzz::next_descriptor() == before);
    return 0;
}
