#include "causeway/datapath/replay_window.h"

#include <algorithm>

namespace causeway::datapath {

bool ReplayWindow::is_new(std::uint64_t number) const {
    if (is_empty_ || number > newest_) return true;
    if (newest_ - number >= size) return false;
    const std::uint64_t word = seen_[number / word_bits % words];
    return (word >> number % word_bits & 1) == 0;
}

bool ReplayWindow::mark(std::uint64_t number) {
    const bool is_newest = is_empty_ || number > newest_;
    if (is_newest) {
        // Every word between the newest before and now holds numbers of a round ago.
        const std::uint64_t before = newest_ / word_bits;
        const std::uint64_t now = number / word_bits;
        const std::uint64_t stale = std::min<std::uint64_t>(now - before, words);
        for (std::uint64_t i = 1; i <= stale; ++i) seen_[(before + i) % words] = 0;
        newest_ = number;
        is_empty_ = false;
    }
    seen_[number / word_bits % words] |= std::uint64_t{1} << number % word_bits;
    return is_newest;
}

}  // namespace causeway::datapath
