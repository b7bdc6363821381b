// Links on their way out: each says its last words, hears the peer's, and is gone.

#pragma once

#include "causeway/base/event_loop.h"
#include "causeway/provider/link.h"

#include <list>
#include <memory>
#include <utility>

namespace causeway::provider {

class Farewells {
public:
    explicit Farewells(EventLoop& loop) : loop_(loop) {}

    /// Closes the link in order, beside everything else.
    void dismiss(std::unique_ptr<Link> link) {
        if (!link) return;
        links_.push_back(std::move(link));
        const auto at = std::prev(links_.end());
        (*at)->close([this, at] {
            links_.erase(at);
            if (links_.empty() && empty_) soon_ = loop_.at(Clock::now(), std::move(empty_));
        });
    }

    /// Calls `empty` from the loop once the last link is gone, at once when there is none.
    void when_empty(EventLoop::Action empty) {
        if (links_.empty())
            soon_ = loop_.at(Clock::now(), std::move(empty));
        else
            empty_ = std::move(empty);
    }

private:
    EventLoop& loop_;
    EventLoop::Timer soon_;
    EventLoop::Action empty_;
    std::list<std::unique_ptr<Link>> links_;
};

}  // namespace causeway::provider
