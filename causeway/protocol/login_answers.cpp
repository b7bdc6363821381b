#include "causeway/protocol/login_answers.h"

#include "causeway/base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace causeway::protocol {
namespace {

std::string names_of(const std::vector<Choice>& choices) {
    std::vector<std::string> names;
    for (const Choice& choice : choices) names.push_back(printable(choice.text));
    return join(names, ", ");
}

std::string title(const Field& field) {
    return in_quotes(field.label.empty() ? field.name : field.label);
}

bool is_asked(const Field& field) {
    return field.kind == FieldKind::text || field.kind == FieldKind::password;
}

Result<Secret> answer_text(const Field& field, const Secret* given) {
    if (field.kind == FieldKind::hidden) return Secret(field.value);
    if (given) return *given;
    if (field.kind == FieldKind::text && !field.value.empty()) return Secret(field.value);
    return fail(Vpn::authenticationFailed,
                fmt::format("the gateway asks for {} and there is no answer to it", title(field)),
                {{"field", printable(field.name)}});
}

/// The choice that was made, or that makes itself.
const Choice* chosen(const Field& field, const Secret* given) {
    const auto choice = std::ranges::find_if(field.choices, [&](const Choice& known) {
        if (!given) return known.is_selected || field.choices.size() == 1;
        return known.value == given->reveal() || known.text == given->reveal();
    });
    if (choice != field.choices.end()) return &*choice;
    // As in a browser, the first group is chosen where nobody chooses.
    if (field.is_group() && !given && !field.choices.empty()) return &field.choices.front();
    return nullptr;
}

Result<Secret> answer_select(const Field& field, const Secret* given, std::string_view group) {
    if (field.is_group() && !group.empty() && !given) return Secret(std::string(group));
    if (const Choice* choice = chosen(field, given)) return Secret(choice->value);
    const Evidence evidence = {{"field", printable(field.name)},
                               {"choices", names_of(field.choices)}};
    if (!given)
        return fail(
            Vpn::authenticationFailed,
            fmt::format("the gateway asks to choose {} and there is no answer to it", title(field)),
            evidence);
    // The answer itself is not quoted: it may be a password in the wrong place.
    return fail(Vpn::configurationFailed,
                fmt::format("the answer given for {} is no choice of it; there are {}",
                            in_quotes(field.name), names_of(field.choices)),
                evidence);
}

}  // namespace

Result<FormAnswers> answer_form(const AuthForm& form, const std::map<std::string, Secret>& answers,
                                std::string_view group) {
    FormAnswers all;
    for (const Field& field : form.fields) {
        const auto found = answers.find(field.name);
        const bool is_given = found != answers.end() && !found->second.empty();
        const Secret* given = is_given ? &found->second : nullptr;
        auto text = field.kind == FieldKind::select ? answer_select(field, given, group)
                                                    : answer_text(field, given);
        if (!text) return pass(text);
        if (field.is_group()) {
            all.group = text->reveal();
            continue;
        }
        if (is_asked(field)) all.asked.emplace_back(field.name, *text);
        all.fields.emplace_back(field.name, *std::move(text));
    }
    return all;
}

Result<std::string> group_on_offer(const AuthForm& form, std::string_view wish) {
    const Field* field = form.group_field();
    if (!field)
        return fail(Vpn::configurationFailed,
                    fmt::format("the group {} was asked for, and the gateway has no groups",
                                in_quotes(wish)),
                    {{"group", printable(wish)}, {"groups", ""}});
    const auto choice = std::ranges::find_if(field->choices, [&](const Choice& known) {
        return known.value == wish || known.text == wish;
    });
    if (choice != field->choices.end()) return choice->value;
    return fail(Vpn::configurationFailed,
                fmt::format("the gateway has no group {}; it offers {}", in_quotes(wish),
                            names_of(field->choices)),
                {{"group", printable(wish)}, {"groups", names_of(field->choices)}});
}

std::vector<std::string> asked_fields(const AuthForm& form) {
    std::vector<std::string> names;
    for (const Field& field : form.fields)
        if (is_asked(field)) names.push_back(field.name);
    return names;
}

bool asks_password(const AuthForm& form) {
    return std::ranges::any_of(
        form.fields, [](const Field& field) { return field.kind == FieldKind::password; });
}

}  // namespace causeway::protocol
