#include "api/ingest/member_reader.hpp"

#include "api/json/quoted.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

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
    return std::any_of(text.begin(), text.end(), [](char letter) { return static_cast<unsigned char>(letter) < 0x20; });
}

/// Letters of words, by byte.
constexpr auto word_letters = [] {
    std::array<bool, 256> letters{};
    for (const unsigned char letter : std::string_view{"abcdefghijklmnopqrstuvwxyz0123456789_.-"}) letters[letter] = true;
    return letters;
}();

bool is_word(std::string_view text) {
    const bool opens = text.front() != '_' && text.front() != '.' && text.front() != '-';
    return opens && std::all_of(text.begin(), text.end(), [](char letter) { return word_letters[static_cast<unsigned char>(letter)]; });
}

}  // namespace

bool MemberReader::is(ondemand::json_type wanted, ondemand::value& value, const At& at) {
    const auto type = value.type().value();
    if (type == wanted) return true;
    any(value, at);
    fault(FaultCode::wrong_type, at.place, fmt::format("{} is given; {} is expected", with_article(type), with_article(wanted)));
    return false;
}

std::optional<std::string_view> MemberReader::text(ondemand::value& value, const At& at, std::size_t most_bytes) {
    if (!is(ondemand::json_type::string, value, at)) return std::nullopt;
    const auto token = strings_.take(value);
    auto characters = token.raw;
    if (token.escapes) {
        const auto decoded = strings_.text(token);
        if (decoded.fault != TextFault::none) {
            fault(FaultCode::malformed, at.place, fmt::format("the string holds {}", describe(decoded.fault)));
            return std::nullopt;
        }
        characters = decoded.characters;
    }
    if (characters.empty()) {
        fault(FaultCode::out_of_range, at.place, fmt::format("an empty string is given; 1 to {} bytes are allowed", most_bytes));
        return std::nullopt;
    }
    if (characters.size() > most_bytes) {
        fault(FaultCode::too_large, at.place, fmt::format("{} is {} bytes long; at most {} are allowed", in_quotes(characters), characters.size(), most_bytes));
        return std::nullopt;
    }
    return characters;
}

std::optional<std::string_view> MemberReader::line(ondemand::value& value, const At& at, std::size_t most_bytes) {
    const auto given = text(value, at, most_bytes);
    if (!given) return std::nullopt;
    // Control characters reach a string through escapes only, which the parser's first stage sees to.
    const bool bad = given->front() == ' ' || given->back() == ' ' || (strings_.may_escape() && has_control_character(*given));
    if (!bad) return given;
    fault(FaultCode::malformed, at.place, fmt::format("{} has control characters, or a blank at an end", in_quotes(*given)));
    return std::nullopt;
}

std::optional<std::string_view> MemberReader::word(ondemand::value& value, const At& at, std::size_t most_bytes) {
    const auto given = text(value, at, most_bytes);
    if (!given || is_word(*given)) return given;
    fault(FaultCode::malformed, at.place, fmt::format("{} is no lower-case word: a-z and 0-9, after the first also _ . -", in_quotes(*given)));
    return std::nullopt;
}

std::optional<double> MemberReader::number(ondemand::value& value, const At& at, double least, double most) {
    if (!is(ondemand::json_type::number, value, at)) return std::nullopt;
    const auto token = token_of(value);
    double number = 0;
    if (value.get_double().get(number) != simdjson::SUCCESS) {
        any(value, at);  // says what is wrong with it
        return std::nullopt;
    }
    if (number >= least && number <= most) return number;
    fault(FaultCode::out_of_range, at.place, fmt::format("{} is outside {} to {}", in_quotes(token), least, most));
    return std::nullopt;
}

std::optional<std::int64_t> MemberReader::integer(ondemand::value& value, const At& at, std::int64_t least, std::int64_t most) {
    if (!is(ondemand::json_type::number, value, at)) return std::nullopt;
    const auto token = token_of(value);
    std::int64_t number = 0;
    if (value.get_int64().get(number) != simdjson::SUCCESS) {
        const auto before = faults().size();
        any(value, at);
        if (faults().size() > before) return std::nullopt;  // inexact or infinite: said already
    } else if (number >= least && number <= most) {
        return number;
    }
    fault(FaultCode::out_of_range, at.place, fmt::format("{} is no whole number between {} and {}", in_quotes(token), least, most));
    return std::nullopt;
}

MemberNames::Found MemberNames::find(const ondemand::field& field, const Place& object) {
    if (next_ < names_.size() && field.key().unsafe_is_equal(names_[next_])) return known(next_, object);
    const auto name = reader_->strings_.text(reader_->strings_.name(field));
    if (name.fault != TextFault::none) {
        reader_->fault(FaultCode::malformed, {object, name.characters}, fmt::format("a member name holds {}", describe(name.fault)));
    }
    const auto at = std::find(names_.begin(), names_.end(), name.characters);
    if (at != names_.end()) return known(static_cast<std::size_t>(at - names_.begin()), object);
    return {names_.size(), name.characters};
}

MemberNames::Found MemberNames::known(std::size_t index, const Place& object) {
    const auto bit = std::uint32_t{1} << index;
    if ((seen_ & bit) != 0) reader_->fault(FaultCode::conflict, {object, names_[index]}, "this member is given more than once");
    seen_ |= bit;
    next_ = index + 1;
    return {index, names_[index]};
}

void MemberNames::unknown(ondemand::value& value, const At& at) {
    reader_->any(value, at);
    reader_->fault(FaultCode::unknown_field, at.place, fmt::format("there is no such member; known are {}", fmt::join(names_, ", ")));
}

void MemberNames::missing(std::size_t index, const Place& object) {
    reader_->fault(FaultCode::missing, {object, names_[index]}, fmt::format("'{}' is required", names_[index]));
}

}  // namespace catenary::api::ingest
