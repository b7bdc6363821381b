// Super-packets from any bytes: a virtio header, then a packet. The pieces lie within it, are
// packets, and hold its payload once and in order.

#include "causeway/datapath/splitter.h"

#include "causeway/datapath/packet_layout.h"
#include "tests/fuzz/input.h"

#include <vector>

using namespace causeway;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto input = fuzz::view(data, size);
    const auto offload = datapath::read_virtio_header(input);
    if (!offload) return 0;
    const auto packet = input.subspan(datapath::virtio_header_size);
    Bytes room(datapath::super_packet_headroom);
    append(room, packet);
    const auto bytes = std::span(room).subspan(datapath::super_packet_headroom);

    datapath::Splitter splitter;
    if (!splitter.start({bytes, *offload})) {
        fuzz::require(splitter.next().empty());
        return 0;
    }
    const auto whole = datapath::layout_of(bytes);
    fuzz::require(whole.has_value());
    Bytes payload;
    std::size_t count = 0;
    std::size_t header_size = 0;
    for (auto piece = splitter.next(); !piece.empty(); piece = splitter.next(), ++count) {
        fuzz::require(piece.data() >= bytes.data());
        fuzz::require(piece.data() + piece.size() <= bytes.data() + bytes.size());
        fuzz::require(piece.size() <= splitter.packet_size());
        const auto layout = datapath::layout_of(piece);
        fuzz::require(layout && layout->length == piece.size());
        if (count == 0 && splitter.count() > 1)
            header_size = splitter.packet_size() - offload->segment_size;
        append(payload, piece.subspan(header_size));
        // What lies before a piece is the sealer's.
        piece.data()[-1] = std::byte{0xee};
    }
    fuzz::require(count == splitter.count());
    if (count > 1) fuzz::require(payload == copy(packet.first(whole->length).subspan(header_size)));
    return 0;
}
