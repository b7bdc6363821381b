// What a gateway asks of a user.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace causeway::protocol {

enum class FieldKind : std::uint8_t { text, password, hidden, select };

struct Choice {
    std::string value;
    std::string text;
    bool is_selected = false;
    bool operator==(const Choice&) const = default;
};

struct Field {
    FieldKind kind = FieldKind::text;
    std::string name;
    std::string label;
    std::string value;            ///< What is filled in already; always sent back when hidden.
    std::vector<Choice> choices;  ///< Of a select.
    bool is_second_auth = false;  ///< Belongs to a second server behind the gateway.

    /// Whether this is the select that chooses the user's group.
    bool is_group() const { return kind == FieldKind::select && name == "group_list"; }
    bool operator==(const Field&) const = default;
};

struct AuthForm {
    std::string id = "main";
    std::string action = "/";
    std::string banner;   ///< To show before the login.
    std::string message;  ///< What is asked for.
    std::string error;    ///< What went wrong with the last answer.
    std::vector<Field> fields;

    const Field* group_field() const {
        for (const Field& field : fields)
            if (field.is_group()) return &field;
        return nullptr;
    }
    bool operator==(const AuthForm&) const = default;
};

}  // namespace causeway::protocol
