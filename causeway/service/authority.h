// Who may do what the policy file does not say: another program of the machine that decides, asked
// without waiting.

#pragma once

#include "causeway/service/caller.h"

#include <cstdint>
#include <functional>
#include <string>

namespace causeway::service {

/// What may be given beyond the policy file: to own a VPN; to consent to one's own programs having
/// one; to act for others as root does.
enum class Right : std::uint8_t { own, consent, administer };

/// `why` is empty when there is nobody to ask; then nothing is said of it either.
struct Verdict {
    bool is_granted;
    std::string why;
};

/// Whom it is about.
struct Subject {
    std::string bus_name;  ///< Empty for a caller of the socket.
    Caller caller;
};

class Authority {
public:
    using Done = std::move_only_function<void(Verdict)>;

    virtual ~Authority() = default;
    /// `done` is called at once or later, once, also when the authority itself goes away. A person
    /// may be asked meanwhile.
    virtual void ask(std::uint64_t question, Right right, const Subject& subject, Done done) = 0;
    /// Nobody waits for it any more; `done` is not called.
    virtual void cancel(std::uint64_t question) = 0;
};

}  // namespace causeway::service
