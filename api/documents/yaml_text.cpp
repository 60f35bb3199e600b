#include "api/documents/yaml_text.hpp"

#include "engine/model/ascii.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <string_view>

namespace catenary::api::documents {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t longest_line = 110;  // of a list or object that is written on one line

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// "24h": digits and one letter, which no reader takes for a number.
bool is_span(std::string_view text) {
    return text.size() >= 2 && std::string_view{"smhd"}.find(text.back()) != std::string_view::npos &&
           std::all_of(text.begin(), text.end() - 1, engine::is_ascii_digit);
}

/// Words that some YAML reader takes for a truth value or for nothing.
bool is_word_of_yaml(std::string_view text) {
    constexpr std::array<std::string_view, 9> words{"true", "false", "null", "yes", "no", "on", "off", "y", "n"};
    return std::ranges::find(words, engine::ascii_lower(text)) != words.end();
}

bool is_plain(std::string_view text) {
    if (is_span(text)) return true;
    if (text.empty() || !(is_letter(text.front()) || text.front() == '_') || text.back() == ' ' || is_word_of_yaml(text)) return false;
    return std::ranges::all_of(
        text, [](char c) { return is_letter(c) || engine::is_ascii_digit(c) || std::string_view{" _-./@+();"}.find(c) != std::string_view::npos; });
}

std::string scalar(const Json& value) {
    if (value.is_string() && is_plain(value.get_ref<const std::string&>())) return value.get<std::string>();
    return value.dump(-1, ' ', false, Json::error_handler_t::replace);  // JSON's strings are YAML's double-quoted ones
}

std::string key(std::string_view name) { return scalar(Json(name)); }

std::string flow(const Json& value) {
    if (!value.is_structured()) return scalar(value);
    std::string text{value.is_array() ? '[' : '{'};
    std::string_view separator;
    for (const auto& [name, item] : value.items()) {
        text += separator;
        if (value.is_object()) text += key(name) + ": ";
        text += flow(item);
        separator = ", ";
    }
    return text + (value.is_array() ? ']' : '}');
}

/// Lists of objects are read line by line, and so are items of more than two members.
bool is_for_one_line(const Json& value, const std::string& line, std::size_t room_taken, bool is_item) {
    if (value.is_array() && std::ranges::any_of(value, [](const Json& item) { return item.is_object(); })) return false;
    return room_taken + line.size() <= longest_line && !(is_item && value.is_object() && value.size() > 2);
}

/// Writes at `indent`; the first line goes on where the text is.
void block(std::string& text, const Json& value, std::size_t indent) {
    bool first = true;
    for (const auto& [name, item] : value.items()) {
        if (!first) text.append(indent, ' ');
        first = false;
        text += value.is_array() ? "-" : key(name) + ":";
        const bool is_item = value.is_array();
        if (!item.is_structured() || item.empty()) {
            text += " " + flow(item) + "\n";
            continue;
        }
        if (const auto line = flow(item); is_for_one_line(item, line, indent + name.size(), is_item)) {
            text += " " + line + "\n";
            continue;
        }
        if (is_item) {
            text += " ";
        } else {
            text += "\n";
            text.append(indent + 2, ' ');
        }
        block(text, item, indent + 2);
    }
}

}  // namespace

std::string to_yaml(const Json& value) {
    if (!value.is_structured() || value.empty()) return flow(value) + "\n";
    std::string text;
    block(text, value, 0);
    return text;
}

}  // namespace catenary::api::documents
