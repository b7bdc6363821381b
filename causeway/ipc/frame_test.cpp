#include "causeway/ipc/frame.h"

#include "causeway/ipc/limits.h"

#include <doctest/doctest.h>

#include <algorithm>

namespace causeway::ipc {
namespace {

/// What a reader makes of a stream that arrives in pieces of `step` bytes.
std::string read(const Bytes& stream, std::size_t step) {
    FrameReader reader;
    std::string story;
    for (std::size_t at = 0; at < stream.size(); at += step) {
        reader.feed(ByteView(stream).subspan(at, std::min(step, stream.size() - at)));
        while (true) {
            const auto text = reader.next();
            if (!text) return story + std::string(text.error().fact("errno"));
            if (!*text) break;
            story += **text + " ";
        }
    }
    return story;
}

Bytes stream_of(std::initializer_list<std::string_view> texts) {
    Bytes stream;
    for (const auto text : texts) append(stream, frame(text));
    return stream;
}

TEST_CASE("a stream of messages may be cut anywhere") {
    const auto stream = stream_of({"{}", R"({"type":"stop"})", R"({"a":[1,2,{"b":"ü"}]})"});
    for (std::size_t step = 1; step <= stream.size(); ++step)
        CHECK(read(stream, step) == R"({} {"type":"stop"} {"a":[1,2,{"b":"ü"}]} )");
}

TEST_CASE("what is not one JSON object is refused") {
    for (const auto* text : {"", "1", "[]", "null", "{", "{}}", "{}{}", " {}", "{\"a\":\"\xff\"}",
                             "{\"a\":}", "\xef\xbb\xbf{}"})
        CHECK(read(stream_of({"{}", text}), 3) == "{} EBADMSG");
}

TEST_CASE("a message above the limit is refused by its length alone") {
    Bytes length;
    put_big_endian_32(length, static_cast<std::uint32_t>(message_limit) + 1);
    CHECK(read(length, 4) == "EMSGSIZE");

    Bytes allowed;
    put_big_endian_32(allowed, static_cast<std::uint32_t>(message_limit));
    CHECK(read(allowed, 4) == "");
}

TEST_CASE("a message of exactly the limit passes") {
    const std::string text = R"({"a":")" + std::string(message_limit - 8, 'x') + R"("})";
    REQUIRE(text.size() == message_limit);
    CHECK(read(stream_of({text}), 65536) == text + " ");
}

TEST_CASE("objects nested a hundred thousand deep do no harm") {
    std::string text;
    for (int i = 0; i < 100000; ++i) text += R"({"a":)";
    text += "1" + std::string(100000, '}');
    CHECK(read(stream_of({text}), text.size() + 4) == text + " ");
}

TEST_CASE("a stream that has failed stays failed") {
    FrameReader reader;
    reader.feed(frame("[]"));
    REQUIRE_FALSE(reader.next().has_value());
    reader.feed(frame("{}"));
    const auto again = reader.next();
    REQUIRE_FALSE(again.has_value());
    CHECK(again.error().fact("errno") == "EBADMSG");
}

}  // namespace
}  // namespace causeway::ipc
