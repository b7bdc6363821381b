#include "causeway/protocol/xml_document.h"

#include "causeway/base/text.h"
#include "causeway/protocol/limits.h"

#include <fmt/format.h>

#include <algorithm>

namespace causeway::protocol {
namespace {

bool holds_ignoring_case(std::string_view text, std::string_view word) {
    return std::ranges::search(text, word, [](char a, char b) {
               return equals_ignoring_case({&a, 1}, {&b, 1});
           }).begin() != text.end();
}

std::unexpected<Error> too_much(std::string_view what, std::size_t limit) {
    return fail(Tls::errSSLBufferOverflow, fmt::format("the XML has more than {} {}", limit, what),
                {{"limit", std::to_string(limit)}});
}

class Measure : public pugi::xml_tree_walker {
public:
    bool for_each(pugi::xml_node&) override {
        ++nodes;
        deepest = std::max(deepest, static_cast<std::size_t>(depth()) + 1);
        return nodes <= 2 * xml_element_limit && deepest <= xml_depth_limit;
    }
    std::size_t nodes = 0;
    std::size_t deepest = 0;
};

}  // namespace

Result<void> parse_xml(pugi::xml_document& document, std::string_view body) {
    if (holds_ignoring_case(body, "<!DOCTYPE") || holds_ignoring_case(body, "<!ENTITY"))
        return fail(Tls::errSSLDecodeError, "the XML has a document type, which is not read");
    // Counted before parsing, so that a bomb costs no tree.
    if (std::ranges::count(body, '<') > static_cast<std::ptrdiff_t>(2 * xml_element_limit))
        return too_much("elements", xml_element_limit);

    const auto parsed = document.load_buffer(body.data(), body.size(),
                                             pugi::parse_default | pugi::parse_ws_pcdata_single,
                                             pugi::encoding_utf8);
    if (!parsed)
        return fail(Tls::errSSLDecodeError,
                    fmt::format("the XML is broken at byte {}: {}", parsed.offset,
                                lower(parsed.description())),
                    {{"offset", std::to_string(parsed.offset)}});
    Measure measure;
    document.traverse(measure);
    if (measure.deepest > xml_depth_limit) return too_much("levels", xml_depth_limit);
    if (measure.nodes > 2 * xml_element_limit) return too_much("nodes", 2 * xml_element_limit);
    return {};
}

std::string xml_escaped(std::string_view text) {
    std::string escaped;
    for (const char c : text) {
        switch (c) {
            case '&': escaped += "&amp;"; break;
            case '<': escaped += "&lt;"; break;
            case '>': escaped += "&gt;"; break;
            case '"': escaped += "&quot;"; break;
            case '\'': escaped += "&apos;"; break;
            case '\n':
            case '\t': escaped += c; break;
            default:
                if (static_cast<unsigned char>(c) >= 0x20) escaped += c;
        }
    }
    return escaped;
}

}  // namespace causeway::protocol
