#include "causeway/error/error.h"

#include <cstring>

namespace causeway {

Error& Error::with(std::string key, std::string value) & {
    for (auto& [known, old] : evidence) {
        if (known != key) continue;
        old = std::move(value);
        return *this;
    }
    evidence.emplace_back(std::move(key), std::move(value));
    return *this;
}

Error&& Error::with(std::string key, std::string value) && {
    with(std::move(key), std::move(value));
    return std::move(*this);
}

Error&& Error::because(Error below) && {
    cause = std::make_shared<const Error>(std::move(below));
    return std::move(*this);
}

const Error* Error::find(Code wanted) const {
    for (const Error* at = this; at; at = at->cause.get())
        if (at->code == wanted) return at;
    return nullptr;
}

const Error* Error::find(Domain domain) const {
    for (const Error* at = this; at; at = at->cause.get())
        if (at->code.domain() == domain) return at;
    return nullptr;
}

std::string_view Error::fact(std::string_view key) const {
    for (const Error* at = this; at; at = at->cause.get())
        for (const auto& [known, value] : at->evidence)
            if (known == key) return value;
    return {};
}

Error system_error(int number, std::string call, std::string detail) {
    const char* name = strerrorname_np(number);
    if (detail.empty()) detail = call + ": " + strerrordesc_np(number);
    return Error{Code::raw(Domain::system, number), std::move(detail)}
        .with("errno", name ? name : std::to_string(number))
        .with("call", std::move(call));
}

}  // namespace causeway
