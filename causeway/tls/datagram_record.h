// The records of DTLS as they stand in a datagram. Private to this layer.
//
//     byte   0      1 2       3 4     5 … 10     11 12         13 …
//            type   version   epoch   sequence   length (BE)   payload

#pragma once

#include "causeway/base/bytes.h"
#include "causeway/tls/message_reader.h"

#include <cstdint>
#include <optional>

namespace causeway::tls {

struct DatagramRecord {
    std::uint8_t type = 0;
    std::uint16_t version = 0;
    std::uint16_t epoch = 0;
    std::uint64_t sequence = 0;  ///< 48 bits.
    ByteView payload;
};

/// Takes the record that `datagram` begins with off it; nothing when there is no whole one.
inline std::optional<DatagramRecord> take_record(ByteView& datagram) {
    MessageReader reader(datagram);
    const auto type = reader.take_8();
    const auto version = reader.take_16();
    const auto epoch = reader.take_16();
    const auto high = reader.take_16();
    const auto low = reader.take(4);
    const auto payload = reader.take_vector_16();
    if (!type || !version || !epoch || !high || !low || !payload) return std::nullopt;
    datagram = datagram.subspan(
        static_cast<std::size_t>(payload->data() + payload->size() - datagram.data()));
    return DatagramRecord{*type, *version, *epoch, std::uint64_t{*high} << 32 | big_endian_32(*low),
                          *payload};
}

}  // namespace causeway::tls
