#include "api/ingest/content.hpp"
#include "api/ingest/json_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>
#include <vector>

namespace catenary::api::ingest {
namespace {

/// Whole numbers below 10^15 as digits, everything else in the shortest form that reads back as the same double. Beyond the range of doubles (which
/// is refused before) the token stays.
void canonical_number(std::string_view token, std::string& out) {
    double value = 0;
    const auto parsed = std::from_chars(token.data(), token.data() + token.size(), value);
    if (parsed.ec == std::errc::result_out_of_range) value = 0;  // underflow; an overflow never gets here
    constexpr double exact_digits = 1e15;
    if (std::abs(value) < exact_digits && value == std::trunc(value)) {
        fmt::format_to(std::back_inserter(out), "{}", static_cast<std::int64_t>(value));
        return;
    }
    char digits[32];
    constexpr double smallest_fixed = 1e-5;
    const auto form = std::abs(value) < exact_digits && std::abs(value) >= smallest_fixed ? std::chars_format::fixed : std::chars_format::scientific;
    out.append(digits, std::to_chars(digits, digits + sizeof digits, value, form).ptr);
}

void canonical_string(std::string_view raw, std::string& out) {
    if (raw.find('\\') == std::string_view::npos) {
        out += '"';
        out += raw;
        out += '"';
        return;
    }
    std::string text;
    decode_text(raw, text);
    append_quoted(text, out);
}

void canonical_value(MinifiedReader& in, std::string& out);

struct Member {
    std::string_view name;  ///< as written
    std::string_view value;
};

bool before(const Member& left, const Member& right) {
    if (left.name.find('\\') == std::string_view::npos && right.name.find('\\') == std::string_view::npos) return left.name < right.name;
    std::string left_name;
    std::string right_name;
    decode_text(left.name, left_name);
    decode_text(right.name, right_name);
    return left_name < right_name;
}

void canonical_object(MinifiedReader& in, std::string& out) {
    std::vector<Member> members;
    in.take('{');
    while (in.peek() == '"') {
        const auto name = in.string();
        in.take(':');
        members.push_back({name, in.value()});
        if (!in.take(',')) break;
    }
    in.take('}');
    std::sort(members.begin(), members.end(), before);
    char separator = '{';
    for (const auto& member : members) {
        out += separator;
        separator = ',';
        canonical_string(member.name, out);
        out += ':';
        MinifiedReader value{member.value};
        canonical_value(value, out);
    }
    if (members.empty()) out += '{';
    out += '}';
}

void canonical_list(MinifiedReader& in, std::string& out) {
    in.take('[');
    char separator = '[';
    bool empty = true;
    while (in.peek() != ']' && in.peek() != '\0') {
        out += separator;
        separator = ',';
        empty = false;
        canonical_value(in, out);
        if (!in.take(',')) break;
    }
    in.take(']');
    if (empty) out += '[';
    out += ']';
}

void canonical_value(MinifiedReader& in, std::string& out) {
    switch (in.peek()) {
        case '{': return canonical_object(in, out);
        case '[': return canonical_list(in, out);
        case '"': return canonical_string(in.string(), out);
        case 't':
        case 'f':
        case 'n': out += in.scalar(); return;
        default: return canonical_number(in.scalar(), out);
    }
}

}  // namespace

void canonical_json(std::string_view minified, std::string& out) {
    MinifiedReader in{minified};
    canonical_value(in, out);
}

}  // namespace catenary::api::ingest
