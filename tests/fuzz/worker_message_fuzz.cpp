// What a worker that was taken over might say to its owner: every JSON object is read or refused,
// and what is read says the same when it is written and read again.

#include "causeway/base/bytes.h"
#include "causeway/provider/messages.h"

#include <nlohmann/json.hpp>

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    using namespace causeway;
    const auto text = as_text(std::as_bytes(std::span(data, size)));
    const auto json = nlohmann::json::parse(text, nullptr, false);
    if (!json.is_object()) return 0;
    // An owner's words are read the same way.
    if (provider::is_stop(json) && json.at("type") != "stop") std::abort();
    if (const auto typed = provider::read_typed(json); typed && !provider::read_ok(json))
        std::abort();
    if (const auto applied = provider::read_applied(json); applied && !provider::read_ok(json))
        std::abort();
    const auto message = provider::worker_message(json);
    if (!message) return 0;
    const auto again = provider::worker_message(provider::json_of(*message));
    if (!again || again->index() != message->index()) std::abort();
    if (provider::json_of(*again) != provider::json_of(*message)) std::abort();
    return 0;
}
