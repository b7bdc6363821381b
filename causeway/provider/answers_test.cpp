#include "causeway/provider/answers.h"

#include <doctest/doctest.h>

namespace causeway::provider {
namespace {

using protocol::AuthForm;
using protocol::Field;
using protocol::FieldKind;

Field field(FieldKind kind, std::string name, bool second = false) {
    Field made;
    made.kind = kind;
    made.name = std::move(name);
    made.is_second_auth = second;
    return made;
}

Settings alice() {
    Settings settings;
    settings.user = "alice";
    settings.password = Secret("secret");
    return settings;
}

AuthForm form_of(std::vector<Field> fields) {
    AuthForm form;
    form.fields = std::move(fields);
    return form;
}

}  // namespace

TEST_CASE("name and password go to the first fields of their kind, whatever these are called") {
    const auto gathered = gather_answers(
        form_of({field(FieldKind::text, "login"), field(FieldKind::password, "pass1")}), alice());
    CHECK(gathered.answers.at("login").reveal() == "alice");
    CHECK(gathered.answers.at("pass1").reveal() == "secret");
    CHECK(gathered.unanswered.empty());
}

TEST_CASE("a second server's fields get neither name nor password") {
    const auto gathered = gather_answers(
        form_of({field(FieldKind::text, "username"), field(FieldKind::password, "password"),
                 field(FieldKind::password, "secondary_password", true)}),
        alice());
    REQUIRE(gathered.unanswered.size() == 1);
    CHECK(gathered.unanswered[0].name == "secondary_password");
}

TEST_CASE("an answer given for a field goes before everything else") {
    auto settings = alice();
    settings.answers["password"] = Secret("123456");
    settings.answers["elsewhere"] = Secret("unused");
    const auto gathered =
        gather_answers(form_of({field(FieldKind::password, "password")}), settings);
    CHECK(gathered.answers.at("password").reveal() == "123456");
    CHECK(gathered.answers.size() == 1);
}

TEST_CASE("hidden fields, groups and made choices ask for nothing") {
    auto open = field(FieldKind::select, "realm");
    open.choices = {{"a", "A"}, {"b", "B"}};
    auto made = field(FieldKind::select, "site");
    made.choices = {{"a", "A"}, {"b", "B", true}};
    const auto gathered =
        gather_answers(form_of({field(FieldKind::hidden, "state"),
                                field(FieldKind::select, "group_list"), made, open}),
                       {});
    REQUIRE(gathered.unanswered.size() == 1);
    CHECK(gathered.unanswered[0].name == "realm");
}

}  // namespace causeway::provider
