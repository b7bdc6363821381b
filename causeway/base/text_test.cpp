#include "causeway/base/text.h"

#include <doctest/doctest.h>

#include <array>

namespace causeway {
namespace {

TEST_CASE("foreign text cannot move the cursor, break the line or turn the text around") {
    CHECK(printable("plain \xc3\xa9") == "plain \xc3\xa9");
    CHECK(printable("a\x1b[2Jb\r\n") == "a\\x1b[2Jb\\x0d\\x0a");
    CHECK(printable("\xe2\x80\xaetxt") == "\\u202etxt");
    CHECK(printable("\xff") == "\xef\xbf\xbd");
    CHECK(in_quotes("a\n") == "“a\\x0a”");
    CHECK(in_quotes("abcd", 3) == "“abc…”");
    CHECK(in_quotes("abc", 3) == "“abc”");
}

TEST_CASE("overlong forms, surrogates and cut sequences are not UTF-8") {
    for (const auto* bad : {"\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82"})
        CHECK(valid_utf8(bad).find("\xef\xbf\xbd") == 0);
}

TEST_CASE("header text has no line breaks and is not cut inside a character") {
    CHECK(header_text(" a\r\nSet-Cookie: b ") == "a  Set-Cookie: b");
    CHECK(header_text("ab\xc3\xa9", 3) == "ab");
}

TEST_CASE("numbers are the whole text and within their limits") {
    CHECK(parse_number<int>("42", 0, 100) == 42);
    for (const auto* bad : {"", "4 2", "+4", "101", "-1", "0x4"})
        CHECK_FALSE(parse_number<int>(bad, 0, 100));
}

TEST_CASE("a misspelt word finds its neighbour, a strange one finds none") {
    constexpr std::array<std::string_view, 2> words{"idle_timeout", "session_timeout"};
    CHECK(nearest("idle_timout", words) == "idle_timeout");
    CHECK_FALSE(nearest("zebra", words));
}

}  // namespace
}  // namespace causeway
