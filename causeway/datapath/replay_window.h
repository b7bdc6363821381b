// Which numbers of records were seen: a bitmap that is used as a ring (the idea of RFC 6479).
//
//     words    | 0 | 1 | 2 | ... | 64 |
//                    ^ newest: the word behind it is the oldest one, and emptied when it is reached
//
// Numbers move on by whole words, so that nothing is ever shifted.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace causeway::datapath {

/// Accepts each number once. Batches and many queues reorder: numbers that lie up to `size` behind
/// the newest are told apart, older ones count as seen.
class ReplayWindow {
public:
    static constexpr std::uint64_t size = 4'096;

    /// Whether `number` was not seen yet and is not too old. Changes nothing: a record may be
    /// marked only after it was authenticated.
    bool is_new(std::uint64_t number) const;
    /// Marks a number for which `is_new` is true; returns whether it is the newest so far.
    bool mark(std::uint64_t number);

private:
    static constexpr std::size_t word_bits = 64;
    /// One word more than the size: the newest word is only partly in use.
    static constexpr std::size_t words = size / word_bits + 1;

    std::array<std::uint64_t, words> seen_{};
    std::uint64_t newest_ = 0;
    bool is_empty_ = true;
};

}  // namespace causeway::datapath
