// Any packets one after the other: what comes out, taken apart again, is what went in.
//
//     | length, 2 bytes; the top bit: copied in | packet | length | packet ...

#include "causeway/datapath/merger.h"

#include "causeway/datapath/splitter.h"
#include "tests/fuzz/input.h"

#include <algorithm>
#include <vector>

using namespace causeway;

namespace {

class TakesApart final : public datapath::SuperPacketSink {
public:
    void take(const datapath::SuperPacket& packet, std::size_t count) override {
        if (packet.offload.segmentation == datapath::Segmentation::none) {
            fuzz::require(count == 1 && packet.offload == datapath::VirtioHeader{});
            packets.push_back(copy(packet.bytes));
            return;
        }
        fuzz::require(count > 1 && packet.offload.needs_checksum);
        fuzz::require(splitter_.start(packet).has_value() && splitter_.count() == count);
        for (auto piece = splitter_.next(); !piece.empty(); piece = splitter_.next())
            packets.push_back(copy(piece));
    }
    std::vector<Bytes> packets;

private:
    datapath::Splitter splitter_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    TakesApart sink;
    datapath::Merger merger(sink);
    std::vector<Bytes> sent;
    for (auto rest = fuzz::view(data, size); rest.size() > 2;) {
        const unsigned head = big_endian_16(rest);
        rest = rest.subspan(2);
        const auto packet = rest.first(std::min<std::size_t>(head & 0x3fff, rest.size()));
        rest = rest.subspan(packet.size());
        if (packet.empty()) {
            std::ranges::fill(merger.room().first(200), std::byte{0xbb});
            merger.put_back();
            continue;
        }
        sent.push_back(copy(packet));
        if (head & 0x8000) {
            merger.add(packet);
            continue;
        }
        std::ranges::copy(packet, merger.room().subspan(1).begin());
        merger.merge(1 + packet.size());
    }
    merger.flush();
    fuzz::require(sink.packets == sent);
    return 0;
}
