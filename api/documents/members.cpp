#include "api/documents/members.hpp"

#include "api/documents/suggestion.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <limits>

namespace catenary::api::documents {

using engine::FaultCode;
using nlohmann::json;

namespace {

void wrong_type(const Place& place, const json& value, std::string_view wanted) {
    place.fault(FaultCode::wrong_type, fmt::format("must be {}, not {}", wanted, type_name(value)));
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

}  // namespace

std::string_view type_name(const json& value) {
    switch (value.type()) {
        case json::value_t::null: return "null";
        case json::value_t::object: return "an object";
        case json::value_t::array: return "a list";
        case json::value_t::string: return "a string";
        case json::value_t::boolean: return "true or false";
        default: return "a number";
    }
}

const json* read_object(const Place& place, const json& value, std::span<const std::string_view> known) {
    if (!value.is_object()) {
        wrong_type(place, value, "an object");
        return nullptr;
    }
    for (const auto& [name, unused] : value.items()) {
        if (std::ranges::find(known, name) != known.end()) continue;
        place.member(name).fault(FaultCode::unknown_field, "unknown member " + in_quotes(name) + suggestion(name, known));
    }
    return &value;
}

const json* required(const Place& place, const json& object, std::string_view name) {
    const auto* found = optional_member(object, name);
    if (found == nullptr) place.member(name).fault(FaultCode::missing, fmt::format("\"{}\" is required", name));
    return found;
}

const json* optional_member(const json& object, std::string_view name) {
    const auto it = object.find(name);
    return it == object.end() ? nullptr : &*it;
}

const json* given_member(const json& object, std::string_view name) {
    const auto* value = optional_member(object, name);
    return value == nullptr || value->is_null() ? nullptr : value;
}

std::optional<std::string> read_line(const Place& place, const json& value, std::size_t most_bytes) {
    if (!value.is_string()) {
        wrong_type(place, value, "a string");
        return std::nullopt;
    }
    const auto& text = value.get_ref<const std::string&>();
    if (text.empty() || text.size() > most_bytes) {
        place.fault(FaultCode::out_of_range, fmt::format("must have 1 to {} bytes, not {}", most_bytes, text.size()));
        return std::nullopt;
    }
    if (std::ranges::any_of(text, is_control) || text.front() == ' ' || text.back() == ' ') {
        place.fault(FaultCode::malformed, "must be one line without control characters or outer white space");
        return std::nullopt;
    }
    return text;
}

std::optional<std::string> read_text(const Place& place, const json& value, std::size_t most_bytes) {
    if (!value.is_string()) {
        wrong_type(place, value, "a string");
        return std::nullopt;
    }
    const auto& text = value.get_ref<const std::string&>();
    if (text.size() > most_bytes) {
        place.fault(FaultCode::out_of_range, fmt::format("must have at most {} bytes, not {}", most_bytes, text.size()));
        return std::nullopt;
    }
    return text;
}

std::optional<bool> read_bool(const Place& place, const json& value) {
    if (value.is_boolean()) return value.get<bool>();
    wrong_type(place, value, "true or false");
    return std::nullopt;
}

std::optional<std::int64_t> read_integer(const Place& place, const json& value, std::int64_t least, std::int64_t most) {
    if (!value.is_number()) {
        wrong_type(place, value, "a whole number");
        return std::nullopt;
    }
    const auto number = value.get<double>();  // compared as doubles: an unsigned value above 2^63 must not wrap
    // As doubles the largest 64-bit number and the one after it are the same.
    const bool wraps = value.is_number_unsigned() && value.get<std::uint64_t>() > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (!value.is_number_integer() || wraps || number < static_cast<double>(least) || number > static_cast<double>(most)) {
        place.fault(FaultCode::out_of_range, fmt::format("must be a whole number from {} to {}, not {}", least, most, value.dump()));
        return std::nullopt;
    }
    return value.get<std::int64_t>();
}

std::optional<std::size_t> read_word(const Place& place, const json& value, std::span<const std::string_view> words) {
    if (!value.is_string()) {
        wrong_type(place, value, "a string");
        return std::nullopt;
    }
    const auto& text = value.get_ref<const std::string&>();
    const auto it = std::ranges::find(words, text);
    if (it != words.end()) return static_cast<std::size_t>(it - words.begin());
    place.fault(FaultCode::out_of_range, "unknown value " + in_quotes(text) + suggestion(text, words));
    return std::nullopt;
}

const json* read_list(const Place& place, const json& value, std::size_t least, std::size_t most) {
    if (!value.is_array()) {
        wrong_type(place, value, "a list");
        return nullptr;
    }
    if (value.size() < least || value.size() > most) {
        place.fault(FaultCode::out_of_range, fmt::format("must have {} to {} items, not {}", least, most, value.size()));
        return nullptr;
    }
    return &value;
}

}  // namespace catenary::api::documents
