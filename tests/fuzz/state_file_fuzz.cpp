// State files from any bytes: what is accepted comes back the same when it is written and read.

#include "causeway/base/bytes.h"
#include "causeway/device/journal.h"
#include "causeway/device/resolver_record.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace causeway;
    const auto text = as_text(std::as_bytes(std::span(data, size)));
    if (const auto record = device::parse_journal(text))
        if (device::parse_journal(device::text_of(*record)) != record) std::abort();
    if (const auto record = device::parse_record(text))
        if (device::parse_record(device::text_of(*record)) != record) std::abort();
    return 0;
}
