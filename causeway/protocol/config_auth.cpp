#include "causeway/protocol/config_auth.h"

#include "causeway/base/bytes.h"
#include "causeway/base/text.h"
#include "causeway/protocol/limits.h"
#include "causeway/protocol/xml_document.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <sstream>
#include <utility>

namespace causeway::protocol {
namespace {

constexpr std::string_view declaration = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

bool contains(std::string_view text, std::string_view word) {
    return text.find(word) != std::string_view::npos;
}

std::string cut(std::string_view text, std::size_t limit = text_limit) {
    return std::string(text.substr(0, limit));
}

std::string element(std::string_view name, std::string_view text) {
    return fmt::format("<{0}>{1}</{0}>", name, xml_escaped(text));
}

// What a client says: writing

std::string client_head(std::string_view type, const ClientIdentity& client) {
    std::string text = fmt::format(
        "{}<config-auth client=\"vpn\" type=\"{}\" aggregate-auth-version=\"2\">"
        "<version who=\"vpn\">{}</version>{}",
        declaration, type, xml_escaped(client.version), element("device-id", client.device_id));
    return text;
}

/// The element in which a field's answer travels, or "" when it is not sent.
std::string_view element_of_field(std::string_view field) {
    constexpr std::array renamed{"answer", "whichpin", "new_password"};
    constexpr std::array kept_back{"verify_pin", "verify_password"};
    if (std::ranges::find(renamed, field) != renamed.end()) return "password";
    if (std::ranges::find(kept_back, field) != kept_back.end()) return "";
    return field;
}

/// A field's name becomes an element's, so it must be one.
bool is_element_name(std::string_view name) {
    return !name.empty() && name.size() <= name_limit &&
           std::ranges::all_of(name,
                               [](char c) {
                                   return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                                          (c >= 'A' && c <= 'Z') || c == '_' || c == '-' ||
                                          c == '.';
                               }) &&
           (name.front() < '0' || name.front() > '9') && name.front() != '-' && name.front() != '.';
}

// What a client says: reading

/// Whether an answer under that name is a password: "password", "password1", "secondary_password".
bool names_password(std::string_view name) {
    return name.starts_with("password") || name.ends_with("_password");
}

void take_field(ClientDocument& document, std::string_view name, std::string_view value) {
    if (name == "username")
        document.user = cut(value, name_limit);
    else if (names_password(name))
        document.password = Secret(cut(value, password_limit));
    else if (name == "group-select" || name == "group_list")
        document.group = cut(value, name_limit);
    else if (name == "client-cert-fail")
        document.has_no_certificate = true;
}

class Fields : public pugi::xml_tree_walker {
public:
    explicit Fields(ClientDocument& document) : document_(document) {}
    bool for_each(pugi::xml_node& node) override {
        take_field(document_, lower(node.name()), node.child_value());
        return true;
    }

private:
    ClientDocument& document_;
};

Result<ClientDocument> read_xml(std::string_view body) {
    pugi::xml_document xml;
    if (auto parsed = parse_xml(xml, body); !parsed) return pass(parsed);
    ClientDocument document;
    const std::string_view type = xml.document_element().attribute("type").value();
    document.kind = type == "init" ? ClientDocument::Kind::init : ClientDocument::Kind::reply;
    Fields fields(document);
    xml.document_element().traverse(fields);
    return document;
}

std::string url_decoded(std::string_view text) {
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte =
            text[i] == '%' && i + 2 < text.size() ? from_hex(text.substr(i + 1, 2)) : std::nullopt;
        if (byte) i += 2;
        plain += byte ? std::to_integer<char>(byte->front()) : text[i] == '+' ? ' ' : text[i];
    }
    return plain;
}

Result<ClientDocument> read_url_encoded(std::string_view body) {
    ClientDocument document;
    document.kind = ClientDocument::Kind::reply;
    const auto pairs = split(body, '&');
    if (pairs.size() > form_field_limit)
        return fail(Tls::errSSLBufferOverflow,
                    fmt::format("the answer has more than {} fields", form_field_limit),
                    {{"limit", std::to_string(form_field_limit)}});
    for (const auto pair : pairs) {
        const auto equals = pair.find('=');
        if (equals == std::string_view::npos) continue;
        take_field(document, lower(url_decoded(pair.substr(0, equals))),
                   url_decoded(pair.substr(equals + 1)));
    }
    return document;
}

// What a gateway says: reading

std::unexpected<Error> no_gateway(std::string why, std::string_view body) {
    return fail(Vpn::negotiationFailed, std::move(why),
                {{"body", printable(trim(body.substr(0, 120)))}});
}

bool looks_like_html(std::string_view body) {
    const std::string start = lower(trim(body.substr(0, 512)));
    return contains(start, "<!doctype html") || contains(start, "<html");
}

/// The text of an element, with its param1 and param2 put where it says %s.
std::string text_of(const pugi::xml_node& node) {
    std::string text = cut(trim(node.text().get()));
    for (const char* name : {"param1", "param2"}) {
        const auto parameter = node.attribute(name);
        const auto place = text.find("%s");
        if (parameter && place != std::string::npos) text.replace(place, 2, cut(parameter.value()));
    }
    return text;
}

std::optional<FieldKind> input_kind(std::string_view type) {
    if (equals_ignoring_case(type, "text") || type.empty()) return FieldKind::text;
    if (equals_ignoring_case(type, "password")) return FieldKind::password;
    if (equals_ignoring_case(type, "hidden")) return FieldKind::hidden;
    return std::nullopt;  // submit, reset, sso and what others invent: nothing to answer
}

void take_input(AuthForm& form, const pugi::xml_node& node) {
    const auto kind = input_kind(node.attribute("type").value());
    if (!kind) return;
    Field field;
    field.kind = *kind;
    field.name = cut(node.attribute("name").value(), name_limit);
    field.label = cut(trim(node.attribute("label").value()));
    field.value = cut(node.attribute("value").value());
    field.is_second_auth = node.attribute("second-auth").as_bool();
    if (!field.name.empty()) form.fields.push_back(std::move(field));
}

void take_select(AuthForm& form, const pugi::xml_node& node) {
    Field field;
    field.kind = FieldKind::select;
    field.name = cut(node.attribute("name").value(), name_limit);
    field.label = cut(trim(node.attribute("label").value()));
    for (const auto option : node.children("option")) {
        if (field.choices.size() >= form_choice_limit) break;
        Choice choice;
        choice.text = cut(trim(option.text().get()), name_limit);
        const auto value = option.attribute("value");
        choice.value = value ? cut(value.value(), name_limit) : choice.text;
        choice.is_selected = option.attribute("selected").as_bool();
        field.choices.push_back(std::move(choice));
    }
    if (!field.name.empty()) form.fields.push_back(std::move(field));
}

Result<void> take_form(AuthForm& form, const pugi::xml_node& node, std::string_view body) {
    const std::string_view method = node.attribute("method").value();
    if (!method.empty() && !equals_ignoring_case(method, "post"))
        return no_gateway(
            fmt::format("the gateway's form wants the method “{}”", printable(method)), body);
    const std::string_view action = node.attribute("action").value();
    if (!action.empty()) form.action = cut(action);
    for (const auto child : node.children()) {
        if (form.fields.size() >= form_field_limit)
            return no_gateway(
                fmt::format("the gateway's form has more than {} fields", form_field_limit), body);
        const std::string_view name = child.name();
        if (name == "input") take_input(form, child);
        if (name == "select") take_select(form, child);
    }
    return {};
}

std::string as_written(const pugi::xml_node& node) {
    if (!node) return {};
    std::ostringstream text;
    node.print(text, "", pugi::format_raw | pugi::format_no_declaration, pugi::encoding_utf8);
    return text.str();
}

Result<GatewayDocument> read_request(const pugi::xml_node& root, const pugi::xml_node& auth,
                                     std::string_view body) {
    AuthRequest request;
    request.opaque = as_written(root.child("opaque"));
    request.is_certificate_wanted = static_cast<bool>(root.child("client-cert-request"));
    request.is_second_certificate_wanted =
        static_cast<bool>(root.child("multiple-client-cert-request"));
    request.is_host_scan_wanted = root.child("host-scan") || root.child("csd") ||
                                  auth.child("host-scan") || auth.child("csd");
    request.is_browser_wanted = auth.child("sso-v2-login") || auth.child("sso-v2-login-final");

    AuthForm& form = request.form;
    if (auth.attribute("id")) form.id = cut(auth.attribute("id").value(), name_limit);
    form.banner = text_of(auth.child("banner"));
    form.message = text_of(auth.child("message"));
    form.error = text_of(auth.child("error"));
    if (const auto node = auth.child("form"))
        if (auto taken = take_form(form, node, body); !taken) return pass(taken);
    return request;
}

std::string choice_text(const Choice& choice) {
    return fmt::format("<option value=\"{}\"{}>{}</option>\n", xml_escaped(choice.value),
                       choice.is_selected ? " selected=\"true\"" : "", xml_escaped(choice.text));
}

std::string field_text(const Field& field) {
    if (field.kind == FieldKind::select) {
        std::string text = fmt::format("<select name=\"{}\" label=\"{}\">\n",
                                       xml_escaped(field.name), xml_escaped(field.label));
        for (const Choice& choice : field.choices) text += choice_text(choice);
        return text + "</select>\n";
    }
    const std::string_view type = field.kind == FieldKind::text       ? "text"
                                  : field.kind == FieldKind::password ? "password"
                                                                      : "hidden";
    std::string text = fmt::format("<input type=\"{}\" name=\"{}\"", type, xml_escaped(field.name));
    if (!field.label.empty()) text += fmt::format(" label=\"{}\"", xml_escaped(field.label));
    if (!field.value.empty()) text += fmt::format(" value=\"{}\"", xml_escaped(field.value));
    return text + " />\n";
}

std::string gateway_document(std::string_view type, std::string_view content, bool is_wrapped) {
    if (!is_wrapped) return fmt::format("{}{}", declaration, content);
    return fmt::format(
        "{}<config-auth client=\"vpn\" type=\"{}\">\n<version who=\"sg\">0.1(1)</version>\n{}"
        "</config-auth>",
        declaration, type, content);
}

std::string element_if_any(std::string_view name, std::string_view text) {
    return text.empty() ? std::string() : element(name, text);
}

}  // namespace

Secret write_init(const ClientIdentity& client, bool has_no_certificate) {
    std::string text = client_head("init", client);
    if (has_no_certificate) text += "<client-cert-fail/>";
    text += element_if_any("group-select", client.group_select);
    text += element("group-access", client.group_access);
    return Secret(text + "</config-auth>");
}

Secret write_auth_reply(const ClientIdentity& client, std::string_view opaque,
                        const std::vector<AnsweredField>& fields) {
    std::string text = client_head("auth-reply", client);
    text += opaque;
    text += "<auth>";
    for (const auto& [field, answer] : fields) {
        const auto name = element_of_field(field);
        if (is_element_name(name)) text += element(name, answer.reveal());
    }
    text += "</auth>";
    text += element_if_any("group-select", client.group_select);
    return Secret(text + "</config-auth>");
}

Result<ClientDocument> read_client_document(std::string_view body) {
    if (trim(body).empty()) return ClientDocument{};
    if (contains(body, "<?xml") || trim(body).starts_with('<')) return read_xml(body);
    return read_url_encoded(body);
}

Result<GatewayDocument> read_gateway_document(std::string_view body) {
    if (trim(body).empty()) return no_gateway("the gateway's answer to the login is empty", body);
    if (looks_like_html(body))
        return no_gateway(
            "a web page came instead of a login: this is a web server, no VPN gateway", body);
    pugi::xml_document xml;
    if (auto parsed = parse_xml(xml, body); !parsed)
        return fail(Vpn::negotiationFailed, "the gateway's answer to the login cannot be read",
                    std::move(parsed).error().with("body", printable(trim(body.substr(0, 120)))));

    const auto top = xml.document_element();
    const bool is_wrapped = std::string_view(top.name()) == "config-auth";
    const auto root = is_wrapped ? top : xml;
    const auto auth = root.child("auth");
    // A request for a certificate may come without a form.
    if (!auth && !root.child("client-cert-request"))
        return no_gateway(fmt::format("the XML <{}> that came is no login of a VPN gateway",
                                      printable(cut(top.name(), 40))),
                          body);
    const bool is_complete = std::string_view(top.attribute("type").value()) == "complete" ||
                             std::string_view(auth.attribute("id").value()) == "success";
    if (!is_complete) return read_request(root, auth, body);

    AuthComplete complete;
    complete.banner = text_of(auth.child("banner"));
    complete.message = text_of(auth.child("message"));
    complete.session_token =
        Secret(cut(trim(root.child("session-token").text().get()), cookie_limit));
    return complete;
}

std::string write_auth_request(const AuthForm& form, bool is_wrapped) {
    std::string content = fmt::format("<auth id=\"{}\">\n", xml_escaped(form.id));
    content += element_if_any("banner", form.banner);
    content += element_if_any("message", form.message);
    content += element_if_any("error", form.error);
    content += fmt::format("\n<form method=\"post\" action=\"{}\">\n", xml_escaped(form.action));
    for (const Field& field : form.fields) content += field_text(field);
    content += "</form></auth>\n";
    return gateway_document("auth-request", content, is_wrapped);
}

std::string write_complete(std::string_view banner, bool is_wrapped) {
    const std::string content =
        fmt::format("<auth id=\"success\">\n<title>SSL VPN Service</title>{}</auth>\n",
                    element_if_any("banner", banner));
    return gateway_document("complete", content, is_wrapped);
}

}  // namespace causeway::protocol
