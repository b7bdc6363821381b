// Passwords, tokens and cookies: text that is wiped when it goes and never printed by accident.

#pragma once

#include <string.h>

#include <string>
#include <string_view>
#include <utility>

namespace causeway {

/// Text that must not reach a log, an argument list, a core file or JSON. It has no stream
/// operator and no conversion; who wants the text says `reveal()`, and a search finds them all.
class Secret {
public:
    Secret() = default;
    explicit Secret(std::string text) : text_(std::move(text)) {}
    Secret(const Secret&) = default;
    // A short text is moved by copying it: what stays behind is wiped.
    Secret(Secret&& other) noexcept : text_(std::move(other.text_)) { other.wipe(); }
    Secret& operator=(const Secret& other) {
        if (this != &other) wipe(), text_ = other.text_;
        return *this;
    }
    Secret& operator=(Secret&& other) noexcept {
        if (this != &other) wipe(), text_ = std::move(other.text_), other.wipe();
        return *this;
    }
    ~Secret() { wipe(); }

    std::string_view reveal() const { return text_; }
    bool empty() const { return text_.empty(); }

private:
    void wipe() {
        explicit_bzero(text_.data(), text_.capacity());
        text_.clear();
    }

    std::string text_;
};

}  // namespace causeway
