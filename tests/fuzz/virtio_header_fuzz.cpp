// Virtio headers from any bytes: what is understood is written as it was read.

#include "causeway/datapath/virtio_header.h"

#include "tests/fuzz/input.h"

#include <algorithm>
#include <array>

using namespace causeway;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto bytes = fuzz::view(data, size);
    const auto header = datapath::read_virtio_header(bytes);
    if (!header) return 0;
    std::array<std::byte, datapath::virtio_header_size> written;
    datapath::write_virtio_header(*header, written);
    const auto again = datapath::read_virtio_header(written);
    fuzz::require(again.has_value() && *again == *header);
    // All but the flags that ask for nothing.
    fuzz::require(
        std::ranges::equal(std::span(written).subspan(1), bytes.first(written.size()).subspan(1)));
    return 0;
}
