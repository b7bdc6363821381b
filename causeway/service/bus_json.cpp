#include "causeway/service/bus_json.h"

#include "causeway/base/text.h"
#include "causeway/service/json.h"
#include "causeway/service/limits.h"
#include "causeway/service/request_inspector.h"
#include "causeway/service/request_object.h"

#include <fmt/format.h>
#include <sdbus-c++/Types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace causeway::service {
namespace {

/// What comes next in the message: its type and what it contains; 0 at the end of a container.
struct Next {
    char type;
    std::string contents;
};

Next peek(const sdbus::Message& message) {
    std::string type;
    std::string contents;
    message.peekType(type, contents);
    return {type.empty() ? '\0' : type[0], std::move(contents)};
}

/// One walk through a message. `read` is false once a limit is exceeded; the message is not read
/// any further then.
class Reader {
public:
    explicit Reader(sdbus::Message& message) : message_(message) {
        // Where a frame of the socket has the request and its parameters around it.
        (void)inspector_.start_object(0);
        (void)inspector_.start_object(0);
    }

    bool read(Json& value);
    std::string complaint() const {
        return bytes_ > frame_limit ? fmt::format("the texts have more than {} bytes", frame_limit)
                                    : inspector_.complaint;
    }

private:
    bool read_array(const std::string& contents, Json& value);
    bool read_object(const std::string& contents, Json& value);
    bool read_list(const std::string& contents, Json& value);
    bool read_variant(const std::string& contents, Json& value);
    bool read_foreign(const Next& next, Json& value);
    bool read_text(Json& value);
    bool read_key(std::string& key);

    template <typename Number>
    bool read_number(Json& value) {
        Number number{};
        message_ >> number;
        value = number;
        return inspector_.number_integer(0);
    }

    sdbus::Message& message_;
    RequestInspector inspector_;
    std::size_t bytes_ = 0;  ///< Of all texts: no more than a frame of the socket could bring.
};

bool Reader::read(Json& value) {
    const auto next = peek(message_);
    switch (next.type) {
        case 'y': return read_number<std::uint8_t>(value);
        case 'n': return read_number<std::int16_t>(value);
        case 'q': return read_number<std::uint16_t>(value);
        case 'i': return read_number<std::int32_t>(value);
        case 'u': return read_number<std::uint32_t>(value);
        case 'x': return read_number<std::int64_t>(value);
        case 't': return read_number<std::uint64_t>(value);
        case 'd': return read_number<double>(value);
        case 'b': return read_number<bool>(value);
        case 's': return read_text(value);
        case 'a': return read_array(next.contents, value);
        case 'v': return read_variant(next.contents, value);
        default: return read_foreign(next, value);
    }
}

bool Reader::read_text(Json& value) {
    std::string text;
    message_ >> text;
    bytes_ += text.size();
    const bool is_fine = inspector_.string(text) && bytes_ <= frame_limit;
    value = std::move(text);
    return is_fine;
}

bool Reader::read_key(std::string& key) {
    message_ >> key;
    bytes_ += key.size();
    return inspector_.key(key) && bytes_ <= frame_limit;
}

bool Reader::read_array(const std::string& contents, Json& value) {
    if (contents.starts_with("{s")) return read_object(contents, value);
    return read_list(contents, value);
}

bool Reader::read_object(const std::string& contents, Json& value) {
    const std::string entry = contents.substr(1, contents.size() - 2);
    value = Json::object();
    if (!inspector_.start_object(0)) return false;
    message_.enterContainer(contents);
    while (message_.enterDictEntry(entry)) {
        std::string key;
        if (!read_key(key) || !read(value[key])) return false;
        message_.exitDictEntry();
    }
    message_.clearFlags();
    message_.exitContainer();
    return inspector_.end_object();
}

bool Reader::read_list(const std::string& contents, Json& value) {
    value = Json::array();
    if (!inspector_.start_array(0)) return false;
    message_.enterContainer(contents);
    while (peek(message_).type != '\0')
        if (!read(value.emplace_back())) return false;
    message_.clearFlags();
    message_.exitContainer();
    return inspector_.end_array();
}

bool Reader::read_variant(const std::string& contents, Json& value) {
    message_.enterVariant(contents);
    if (!read(value)) return false;
    message_.exitVariant();
    return true;
}

bool Reader::read_foreign(const Next& next, Json& value) {
    Json ignored;
    switch (next.type) {
        case 'o': {
            sdbus::ObjectPath path;
            message_ >> path;
            value = std::string(std::move(path));
            return inspector_.string(value.get_ref<std::string&>());
        }
        case 'g': {
            sdbus::Signature signature;
            message_ >> signature;
            value = foreign_value("a signature");
            break;
        }
        case 'h': {
            sdbus::UnixFd descriptor;
            message_ >> descriptor;
            value = foreign_value("a descriptor");
            break;
        }
        case 'r': {
            message_.enterStruct(next.contents);
            while (peek(message_).type != '\0')
                if (!read(ignored)) return false;
            message_.exitStruct();
            value = foreign_value("a structure");
            break;
        }
        default: {
            // An entry of a dictionary whose keys are no text.
            message_.enterDictEntry(next.contents);
            if (!read(ignored) || !read(ignored)) return false;
            message_.exitDictEntry();
            value = foreign_value("an entry whose key is no text");
            break;
        }
    }
    return inspector_.null();
}

// Back

void append_value(sdbus::Message& message, const OrderedJson& value) {
    if (value.is_string()) {
        message.openVariant("s");
        message << valid_utf8(value.get_ref<const std::string&>());
    } else if (value.is_boolean()) {
        message.openVariant("b");
        message << value.get<bool>();
    } else if (value.is_number_integer()) {
        message.openVariant("x");
        message << value.get<std::int64_t>();
    } else if (value.is_number()) {
        message.openVariant("d");
        message << value.get<double>();
    } else if (value.is_array()) {
        message.openVariant("av");
        message.openContainer("v");
        for (const auto& each : value)
            if (!each.is_null()) append_value(message, each);
        message.closeContainer();
    } else {
        message.openVariant("a{sv}");
        append_json(message, value);
    }
    message.closeVariant();
}

}  // namespace

Result<Json> json_from(sdbus::Message& message) {
    Reader reader(message);
    Json value;
    if (!reader.read(value)) return fail(Service::PARAMETER_ERROR, reader.complaint());
    return value;
}

void append_json(sdbus::Message& message, const OrderedJson& object) {
    message.openContainer("{sv}");
    for (const auto& [key, value] : object.items()) {
        if (value.is_null()) continue;
        message.openDictEntry("sv");
        message << key;
        append_value(message, value);
        message.closeDictEntry();
    }
    message.closeContainer();
}

}  // namespace causeway::service
