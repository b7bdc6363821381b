#include "causeway/datapath/send_path.h"

#include <algorithm>

namespace causeway::datapath {

SendPath::SendPath(UdpPort& port) : port_(&port) {
    for (auto& train : trains_) train.bytes.resize(train_size_limit);
}

SendPath::Taken SendPath::send(const SuperPacket& packet, RecordSealer& sealer, const UdpPath* path,
                               std::size_t packet_limit, Counters& counters) {
    const auto started = splitter_.start(packet);
    if (!started) {
        counters.drops.add(started.error(), packet_count(packet));
        return Taken::malformed;
    }
    if (splitter_.packet_size() > packet_limit) {
        counters.drops.add(Drop::too_large, splitter_.count());
        return Taken::too_large;
    }
    keep_together(splitter_.packet_size() + 1 + sealer.overhead(), splitter_.count());
    std::size_t left = splitter_.count();
    for (auto piece = splitter_.next(); !piece.empty(); piece = splitter_.next(), --left) {
        // The byte in front belongs to what was sealed before.
        const std::span payload(piece.data() - 1, piece.size() + 1);
        payload[0] = data_payload;
        const auto taken = put(payload, sealer, path);
        if (taken == Put::no_room) {
            counters.drops.add(Drop::queue_full, left);
            return Taken::all;
        }
        if (taken == Put::no_key) {
            counters.drops.add(Drop::no_key, left);
            return Taken::no_key;
        }
        counters.add(piece.size());
    }
    return Taken::all;
}

SendPath::Put SendPath::put(ByteView payload, RecordSealer& sealer, const UdpPath* path) {
    const std::size_t size = payload.size() + sealer.overhead();
    const auto place = room(size, path);
    if (place.empty()) return Put::no_room;
    if (sealer.seal(payload, place) == 0) return Put::no_key;
    added(size, path);
    return Put::done;
}

bool SendPath::send_payload(ByteView payload, RecordSealer& sealer, const UdpPath* path) {
    ++control_;
    const auto taken = put(payload, sealer, path);
    if (taken == Put::no_room) drops_.add(Drop::queue_full);
    if (taken == Put::no_key) drops_.add(Drop::no_key);
    return taken == Put::done;
}

bool SendPath::send_datagram(ByteView datagram, const UdpPath* path, Carries carries) {
    if (carries == Carries::control) ++control_;
    const auto place = room(datagram.size(), path);
    if (place.empty()) {
        drops_.add(Drop::queue_full);
        return false;
    }
    std::ranges::copy(datagram, place.begin());
    added(datagram.size(), path);
    return true;
}

bool SendPath::fits(const Gathering& train, std::size_t size, const UdpPath* path) {
    if (train.count == 0) return true;
    const bool is_same_path =
        path == nullptr ? !train.has_path : train.has_path && train.path == *path;
    return is_same_path && !train.is_closed && size <= train.segment_size &&
           train.count < train_segment_limit && train.size + size <= train_size_limit;
}

/// A super-packet that would fit in a train of its own is not spread over two: the other end puts
/// together what came in one.
void SendPath::keep_together(std::size_t size, std::size_t count) {
    auto& train = newest();
    if (count == 1 || train.count == 0) return;
    const auto fits_in = [&](std::size_t used, std::size_t used_count) {
        return used + count * size <= train_size_limit && used_count + count <= train_segment_limit;
    };
    if (fits_in(0, 0) && !fits_in(train.size, train.count)) train.is_closed = true;
}

/// Where a datagram of that size goes: the newest train if it fits there, or else the next one; or
/// none, when all are full and the socket takes nothing.
std::span<std::byte> SendPath::room(std::size_t size, const UdpPath* path) {
    if (size > train_size_limit) return {};
    if (!fits(newest(), size, path)) {
        if (!is_waiting_) flush();
        // After a flush that sent everything the newest is an empty one.
        if (newest().count != 0) {
            if (used_ == train_count) return {};
            ++used_;
        }
    }
    return std::span(newest().bytes).subspan(newest().size, size);
}

void SendPath::added(std::size_t size, const UdpPath* path) {
    auto& train = newest();
    if (train.count == 0) {
        train.segment_size = size;
        train.has_path = path != nullptr;
        if (path != nullptr) train.path = *path;
    }
    train.size += size;
    ++train.count;
    train.is_closed = size < train.segment_size;
}

std::size_t SendPath::waiting() const {
    std::size_t count = 0;
    for (std::size_t i = 0; i < used_; ++i) {
        const auto& train = trains_[(first_ + i) % train_count];
        count += train.count - (train.sent == 0 ? 0 : train.sent / train.segment_size);
    }
    return count;
}

void SendPath::flush() {
    is_waiting_ = false;
    while (used_ > 0) {
        auto& train = trains_[first_];
        auto left = ByteView(train.bytes).first(train.size).subspan(train.sent);
        const auto sent = port_->send_train(left, train.segment_size,
                                            train.has_path ? &train.path : nullptr, drops_);
        train.sent = train.size - left.size();
        if (sent == UdpPort::Sent::later) {
            is_waiting_ = true;
            return;
        }
        train.size = train.count = train.sent = 0;
        train.is_closed = false;
        first_ = (first_ + 1) % train_count;
        --used_;
    }
    used_ = 1;
}

}  // namespace causeway::datapath
