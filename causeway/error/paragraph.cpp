#include "causeway/error/paragraph.h"

#include "causeway/base/text.h"

#include <algorithm>

namespace causeway {
namespace {

bool begins_code_point(char byte) { return (static_cast<unsigned char>(byte) & 0xc0) != 0x80; }

/// The bytes of the first `count` code points.
std::size_t bytes_of(std::string_view text, std::size_t count) {
    std::size_t at = 0;
    while (at < text.size()) {
        if (begins_code_point(text[at]) && count-- == 0) break;
        ++at;
    }
    return at;
}

}  // namespace

std::size_t columns(std::string_view text) {
    return static_cast<std::size_t>(std::ranges::count_if(text, begins_code_point));
}

std::string padded(std::string_view text, std::size_t width) {
    std::string result(text);
    result.append(width - std::min(width, columns(text)), ' ');
    return result;
}

std::string paragraph(std::string_view lead, std::string_view text, std::size_t width) {
    const std::size_t indent = columns(lead);
    const std::size_t room = width > indent ? width - indent : 1;
    std::string result(lead);
    std::size_t used = 0;
    const auto new_line = [&] {
        result += '\n';
        result.append(indent, ' ');
        used = 0;
    };
    for (std::string_view word : split(text, ' ')) {
        if (word.empty()) continue;
        if (used > 0 && used + 1 + columns(word) > room) new_line();
        if (used > 0) result += ' ', ++used;
        while (columns(word) > room) {
            const auto part = bytes_of(word, room);
            result += word.substr(0, part);
            word.remove_prefix(part);
            new_line();
        }
        result += word;
        used += columns(word);
    }
    while (!result.empty() && result.back() == ' ') result.pop_back();
    return result + '\n';
}

}  // namespace causeway
