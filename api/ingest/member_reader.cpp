#include "api/ingest/member_reader.hpp"

#include "api/json/quoted.hpp"
#include "engine/model/ascii.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace catenary::api::ingest {
namespace {

using engine::FaultCode;
using json::in_quotes;

std::string_view with_article(ondemand::json_type type) {
    switch (type) {
        case ondemand::json_type::object: return "an object";
        case ondemand::json_type::array: return "a list";
        case ondemand::json_type::string: return "a string";
        case ondemand::json_type::number: return "a number";
        case ondemand::json_type::boolean: return "true or false";
        case ondemand::json_type::null: return "null";
    }
    return "a value";
}

bool has_control_character(std::string_view text) {
    return std::any_of(text.begin(), text.end(), [](char letter) { return static_cast<unsigned char>(letter) < 0x20 || letter == 0x7F; });
}

constexpr bool is_word_letter(char letter) { return (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9'); }

bool is_word(std::string_view text) {
    return is_word_letter(text.front()) && std::all_of(text.begin(), text.end(), [](char letter) {
               return is_word_letter(letter) || letter == '_' || letter == '.' || letter == '-';
           });
}

}  // namespace

bool MemberReader::is(ondemand::json_type wanted, ondemand::value& value, std::size_t depth) {
    const auto type = value.type().value();
    if (type == wanted) return true;
    walk_.walk(value, depth, trail_);
    fault(FaultCode::wrong_type, fmt::format("{} is given; {} is expected", with_article(type), with_article(wanted)));
    return false;
}

void MemberReader::unknown(ondemand::value value, std::size_t depth, std::string_view known) {
    walk_.walk(value, depth, trail_);
    fault(FaultCode::unknown_field, fmt::format("there is no such member; known are {}", known));
}

std::string_view MemberReader::name(ondemand::field& field) {
    const auto name = text_of(name_of(field), *arena_, scratch_);
    if (name.fault != TextFault::none) fault(FaultCode::malformed, fmt::format("a member name holds {}", describe(name.fault)));
    return name.characters;
}

std::optional<std::string_view> MemberReader::text(ondemand::value& value, std::size_t depth, std::size_t most_bytes) {
    if (!is(ondemand::json_type::string, value, depth)) return std::nullopt;
    const auto [characters, text_fault] = text_of(take_string(value), *arena_, scratch_);
    if (text_fault != TextFault::none) {
        fault(FaultCode::malformed, fmt::format("the string holds {}", describe(text_fault)));
        return std::nullopt;
    }
    if (characters.empty()) {
        fault(FaultCode::out_of_range, fmt::format("an empty string is given; 1 to {} bytes are allowed", most_bytes));
        return std::nullopt;
    }
    if (characters.size() > most_bytes) {
        fault(FaultCode::too_large, fmt::format("{} is {} bytes long; at most {} are allowed", in_quotes(characters), characters.size(), most_bytes));
        return std::nullopt;
    }
    return characters;
}

std::optional<std::string_view> MemberReader::line(ondemand::value& value, std::size_t depth, std::size_t most_bytes) {
    const auto given = text(value, depth, most_bytes);
    if (!given) return std::nullopt;
    if (has_control_character(*given) || engine::trimmed(*given).size() != given->size()) {
        fault(FaultCode::malformed, fmt::format("{} has control characters, or white space at an end", in_quotes(*given)));
        return std::nullopt;
    }
    return given;
}

std::optional<std::string_view> MemberReader::word(ondemand::value& value, std::size_t depth, std::size_t most_bytes) {
    const auto given = text(value, depth, most_bytes);
    if (!given) return std::nullopt;
    if (is_word(*given)) return given;
    fault(FaultCode::malformed, fmt::format("{} is no lower-case word: a-z and 0-9, after the first also _ . -", in_quotes(*given)));
    return std::nullopt;
}

std::optional<double> MemberReader::number(ondemand::value& value, std::size_t depth, double least, double most) {
    if (!is(ondemand::json_type::number, value, depth)) return std::nullopt;
    const auto token = token_of(value);
    double number = 0;
    if (value.get_double().get(number) != simdjson::SUCCESS) {
        walk_.walk(value, depth, trail_);  // says what is wrong with it
        return std::nullopt;
    }
    if (number >= least && number <= most) return number;
    fault(FaultCode::out_of_range, fmt::format("{} is outside {} to {}", in_quotes(token), least, most));
    return std::nullopt;
}

std::optional<std::int64_t> MemberReader::integer(ondemand::value& value, std::size_t depth, std::int64_t least, std::int64_t most) {
    if (!is(ondemand::json_type::number, value, depth)) return std::nullopt;
    const auto token = token_of(value);
    std::int64_t number = 0;
    if (value.get_int64().get(number) != simdjson::SUCCESS) {
        const auto before = faults_.size();
        walk_.walk(value, depth, trail_);
        if (faults_.size() > before) return std::nullopt;  // inexact or infinite: said already
    } else if (number >= least && number <= most) {
        return number;
    }
    fault(FaultCode::out_of_range, fmt::format("{} is no whole number between {} and {}", in_quotes(token), least, most));
    return std::nullopt;
}

std::size_t NamedOnce::place(std::string_view name) {
    for (std::size_t tried = 0; tried < names_.size(); ++tried) {
        const auto at = next_ < names_.size() ? next_ : 0;
        next_ = at + 1;
        if (names_[at] != name) continue;
        const auto bit = std::uint32_t{1} << at;
        if ((seen_ & bit) != 0) members_->fault(FaultCode::conflict, "this member is given more than once");
        seen_ |= bit;
        return at;
    }
    return names_.size();
}

bool NamedOnce::given(std::string_view name) const {
    const auto at = static_cast<std::size_t>(std::find(names_.begin(), names_.end(), name) - names_.begin());
    return (seen_ >> at & 1U) != 0;
}

void NamedOnce::require(std::string_view name) {
    if (given(name)) return;
    const Step step{members_->trail(), name};
    members_->fault(FaultCode::missing, fmt::format("'{}' is required", name));
}

}  // namespace catenary::api::ingest
