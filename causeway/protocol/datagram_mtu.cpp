#include "causeway/protocol/datagram_mtu.h"

#include <algorithm>

namespace causeway::protocol {
namespace {

// RFC 6347 section 4.1 (header), RFC 5246 section 6.2.3.2 (IV, MAC, padding).
constexpr int record_header_size = 13;
constexpr int cbc_block_size = 16;
constexpr int sha1_mac_size = 20;
constexpr int padding_length_size = 1;

}  // namespace

int tunnel_mtu(int link_mtu, Family outer, int record_overhead) {
    return std::max(0, link_mtu - ip_header_size(outer) - udp_header_size - record_overhead -
                           payload_type_size);
}

int tunnel_mtu_of_cbc(int link_mtu, Family outer) {
    const int encrypted = link_mtu - ip_header_size(outer) - udp_header_size - record_header_size -
                          cbc_block_size;  // the IV is one block
    const int blocks = std::max(0, encrypted) / cbc_block_size;
    return std::max(
        0, blocks * cbc_block_size - sha1_mac_size - padding_length_size - payload_type_size);
}

}  // namespace causeway::protocol
