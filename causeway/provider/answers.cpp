#include "causeway/provider/answers.h"

#include "causeway/base/text.h"

#include <algorithm>

namespace causeway::provider {
namespace {

using protocol::Field;
using protocol::FieldKind;

bool answers_itself(const Field& field) {
    if (field.kind == FieldKind::hidden || field.is_group()) return true;
    if (field.kind != FieldKind::select) return false;
    return field.choices.size() == 1 || std::ranges::any_of(field.choices, [](const auto& choice) {
               return choice.is_selected;
           });
}

}  // namespace

GatheredAnswers gather_answers(const protocol::AuthForm& form, const Settings& settings) {
    GatheredAnswers gathered;
    bool user_used = false, password_used = false;
    for (const auto& field : form.fields) {
        if (const auto given = settings.answers.find(field.name); given != settings.answers.end()) {
            gathered.answers[field.name] = given->second;
            continue;
        }
        if (answers_itself(field)) continue;
        const bool first_server = !field.is_second_auth;
        if (field.kind == FieldKind::text && settings.user && first_server && !user_used) {
            user_used = true;
            gathered.answers[field.name] = Secret(*settings.user);
        } else if (field.kind == FieldKind::password && settings.password && first_server &&
                   !password_used) {
            password_used = true;
            gathered.answers[field.name] = *settings.password;
        } else {
            gathered.unanswered.push_back(field);
        }
    }
    return gathered;
}

}  // namespace causeway::provider
