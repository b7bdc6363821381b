// Documents of gateways and of clients. A form that was read can be written and read again, the
// same.

#include "causeway/protocol/config_auth.h"
#include "causeway/protocol/limits.h"
#include "tests/fuzz/input.h"

#include <algorithm>

using namespace causeway;
using namespace causeway::protocol;

namespace {

/// Only what XML can hold comes back as it was.
bool is_plain(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7f; });
}

bool is_plain(const AuthForm& form) {
    return is_plain(form.id) && is_plain(form.action) && is_plain(form.banner) &&
           is_plain(form.message) && is_plain(form.error) &&
           std::ranges::all_of(form.fields, [](const Field& field) {
               return is_plain(field.name) && is_plain(field.label) && is_plain(field.value) &&
                      !field.is_second_auth && field.choices.empty();
           });
}

void read_again(const AuthForm& form) {
    if (form.action.empty() || !is_plain(form)) return;
    const auto again = read_gateway_document(write_auth_request(form));
    fuzz::require(again.has_value());
    if (const auto* request = std::get_if<AuthRequest>(&*again))
        fuzz::require(request->form == form);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = fuzz::text(data, size);
    if (const auto document = read_gateway_document(text)) {
        if (const auto* request = std::get_if<AuthRequest>(&*document)) {
            fuzz::require(request->form.fields.size() <= form_field_limit);
            read_again(request->form);
        }
    } else {
        fuzz::require(document.error().code == Code(Vpn::negotiationFailed));
    }
    if (const auto document = read_client_document(text)) {
        fuzz::require(!document->user || document->user->size() <= name_limit);
        fuzz::require(!document->password || document->password->reveal().size() <= password_limit);
    }
    return 0;
}
