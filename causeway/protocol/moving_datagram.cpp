#include "causeway/protocol/moving_datagram.h"

#include <algorithm>

namespace causeway::protocol {

std::optional<MovingDatagram> read_moving_datagram(ByteView datagram) {
    if (datagram.size() <= moving_header_size || datagram.front() != moving_mark)
        return std::nullopt;
    return MovingDatagram{datagram.subspan(1, connection_id_size),
                          datagram.subspan(moving_header_size)};
}

std::array<std::byte, moving_header_size> moving_header(ByteView connection_id) {
    std::array<std::byte, moving_header_size> header{moving_mark};
    std::ranges::copy(connection_id.first(connection_id_size), header.begin() + 1);
    return header;
}

}  // namespace causeway::protocol
