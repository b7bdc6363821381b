// IP headers from any bytes: what is accepted lies within them, and longer input changes nothing.

#include "causeway/base/bytes.h"
#include "causeway/datapath/ip_header.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace causeway;
    const auto bytes = std::as_bytes(std::span(data, size));
    const auto header = datapath::parse_ip_header(bytes);
    if (!header) return 0;
    if (header->length > size || header->header_size > header->length) std::abort();
    if (header->source.family() != header->destination.family()) std::abort();

    const auto exact = datapath::parse_ip_header(bytes.first(header->length));
    if (!exact || exact->source != header->source || exact->length != header->length) std::abort();
    return 0;
}
