// The limits that hold for what a program says, whichever way it says it: depth, values, fields,
// lengths.

#pragma once

#include <nlohmann/json.hpp>

#include <cstddef>
#include <set>
#include <string>
#include <vector>

namespace causeway::service {

/// Looks at values one after the other, before anything is made of them: a text of four megabytes
/// could otherwise cost hundreds, and the second of two equal fields would silently win. A call
/// that returns false ends the reading, and `complaint` says why.
class RequestInspector final : public nlohmann::json_sax<nlohmann::json> {
public:
    std::string complaint;

    bool null() override { return value(); }
    bool boolean(bool) override { return value(); }
    bool number_integer(number_integer_t) override { return value(); }
    bool number_unsigned(number_unsigned_t) override { return value(); }
    bool number_float(number_float_t, const string_t&) override { return value(); }
    bool string(string_t& text) override { return value() && is_short(text); }
    bool binary(binary_t&) override { return value(); }
    bool start_object(std::size_t) override { return start(); }
    bool end_object() override { return end(); }
    bool start_array(std::size_t) override { return start(); }
    bool end_array() override { return end(); }
    bool key(string_t& name) override;
    bool parse_error(std::size_t position, const std::string&,
                     const nlohmann::detail::exception&) override;

private:
    bool complain(std::string words);
    bool value();
    bool start();
    bool end();
    bool is_short(const std::string& text);

    std::vector<std::set<std::string>> fields_;
    std::size_t values_ = 0;
};

}  // namespace causeway::service
