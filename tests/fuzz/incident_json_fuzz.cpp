// The JSON form of an error and of an incident, from any bytes: what is accepted comes back the
// same when it is written and read again, and its report and sentence can be made.

#include "causeway/base/bytes.h"
#include "causeway/error/json.h"
#include "causeway/error/report.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace causeway;
    const auto text = as_text(std::as_bytes(std::span(data, size)));

    if (const auto incident = incident_from_text(text)) {
        const auto written = json_text(*incident);
        const auto again = incident_from_text(written);
        if (!again || json_text(*again) != written) std::abort();
        if (report(*incident).empty() || sentence(incident->error).empty()) std::abort();
    }
    if (const auto error = error_from_text(text)) {
        const auto written = json_text(*error);
        const auto again = error_from_text(written);
        if (!again || json_text(*again) != written) std::abort();
    }
    return 0;
}
