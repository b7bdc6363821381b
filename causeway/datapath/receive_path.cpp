#include "causeway/datapath/receive_path.h"

#include "causeway/datapath/send_path.h"

namespace causeway::datapath {

static_assert(Merger::payload_limit >= record_plaintext_limit);

ReceivePath::ReceivePath(SuperPacketSink& sink, MergeKinds kinds) : merger_(sink, kinds) {}

std::expected<ByteView, Drop> ReceivePath::open(ByteView record, RecordOpener& opener) {
    const auto room = merger_.room();
    // What could not fit is not looked at: no record of that size is right (RFC 6347 section 4.1).
    if (record.size() > room.size() + opener.overhead()) {
        merger_.put_back();
        return std::unexpected(Drop::record_unknown);
    }
    const auto payload = opener.open(record, room);
    if (payload && payload->size() > 1 && payload->front() == data_payload) {
        merger_.merge(payload->size());
        return ByteView{};
    }
    if (payload) control_.assign(payload->begin(), payload->end());
    merger_.put_back();
    if (!payload) return std::unexpected(payload.error());
    if (control_.empty() || control_.front() == data_payload)
        return std::unexpected(Drop::malformed);
    return ByteView(control_);
}

bool ReceivePath::add(ByteView packet) {
    if (packet.empty() || packet.size() >= Merger::payload_limit) return false;
    merger_.add(packet);
    return true;
}

}  // namespace causeway::datapath
