// The users file. One that is accepted is written as it was read, and a user can be taken out and
// put in again.

#include "causeway/gateway/users.h"
#include "tests/fuzz/input.h"

using namespace causeway;
using namespace causeway::gateway;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    auto users = Users::parse(fuzz::text(data, size), "users");
    if (!users) {
        fuzz::require(users.error().detail.starts_with("users:"));
        return 0;
    }
    const Secret written = users->text();
    const auto again = Users::parse(written.reveal(), "users");
    fuzz::require(again && again->text().reveal() == written.reveal());
    if (users->size() == 0) return 0;
    const User first = *users->all().front();
    fuzz::require(users->remove(first.name).has_value() && !users->find(first.name));
    fuzz::require(users->add(first).has_value() && users->find(first.name));
    fuzz::require(users->size() == again->size());
    return 0;
}
