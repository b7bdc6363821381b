// A file descriptor that is closed once.

#pragma once

#include <unistd.h>

#include <utility>

namespace causeway {

/// Owns a descriptor. Moves, does not copy; closes in the destructor.
class Fd {
public:
    Fd() = default;
    explicit Fd(int number) : number_(number) {}
    Fd(Fd&& other) noexcept : number_(other.release()) {}
    Fd& operator=(Fd&& other) noexcept {
        if (this != &other) reset(other.release());
        return *this;
    }
    ~Fd() { reset(); }

    /// The number, or -1 for none.
    int get() const { return number_; }
    explicit operator bool() const { return number_ >= 0; }

    /// Hands the descriptor over to the caller, who closes it.
    [[nodiscard]] int release() { return std::exchange(number_, -1); }
    void reset(int number = -1) {
        if (number_ >= 0) ::close(number_);
        number_ = number;
    }

private:
    int number_ = -1;
};

}  // namespace causeway
