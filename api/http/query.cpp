#include "api/http/query.hpp"

#include "api/http/problem.hpp"
#include "api/json/pointer.hpp"
#include "api/json/quoted.hpp"
#include "api/json/time_json.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace catenary::api::http {
namespace {

using engine::FaultCode;
using json::in_quotes;

constexpr std::size_t most_faults = 20;

/// The whole of `text` as a number; from_chars takes no leading '+', blanks or hexadecimal.
template <class Number>
std::optional<Number> number_in(std::string_view text) {
    Number value{};
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
    if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size()) return std::nullopt;
    return value;
}

}  // namespace

void QueryReader::fault(std::string_view name, FaultCode code, std::string detail) {
    if (faults_.size() >= most_faults) return;
    std::string pointer;
    json::append_token(pointer, name);
    faults_.push_back({code, std::move(pointer), std::move(detail)});
}

std::vector<std::string> QueryReader::many(std::string_view name) {
    known_.emplace(name);
    std::vector<std::string> values;
    for (const auto& [given, value] : request_->query) {
        if (given != name) continue;
        if (value.empty()) {
            fault(name, FaultCode::missing, fmt::format("parameter '{}' has no value", name));
        } else if (std::find(values.begin(), values.end(), value) == values.end()) {
            values.push_back(value);
        }
    }
    return values;
}

std::optional<std::string> QueryReader::one(std::string_view name) {
    auto values = many(name);
    if (values.size() > 1) fault(name, FaultCode::conflict, fmt::format("parameter '{}' is given more than once", name));
    if (values.size() != 1) return std::nullopt;
    return std::move(values.front());
}

std::optional<engine::Timestamp> QueryReader::time(std::string_view name) {
    const auto text = one(name);
    if (!text) return std::nullopt;
    const auto parsed = json::parse_time(*text);
    if (!parsed) {
        fault(name, FaultCode::malformed, fmt::format("{} is no RFC 3339 time with an offset, such as 2026-03-05T22:47:11Z", in_quotes(*text)));
    }
    return parsed;
}

std::optional<double> QueryReader::number(std::string_view name, double least, double most) {
    const auto text = one(name);
    if (!text) return std::nullopt;
    const auto value = number_in<double>(*text);
    if (!value || !std::isfinite(*value)) {
        fault(name, FaultCode::malformed, fmt::format("{} is no number", in_quotes(*text)));
        return std::nullopt;
    }
    if (*value >= least && *value <= most) return value;
    fault(name, FaultCode::out_of_range, fmt::format("{} is outside {} to {}", *text, least, most));
    return std::nullopt;
}

std::optional<std::int64_t> QueryReader::integer(std::string_view name, std::int64_t least, std::int64_t most) {
    const auto text = one(name);
    if (!text) return std::nullopt;
    const auto value = number_in<std::int64_t>(*text);
    if (value && *value >= least && *value <= most) return value;
    const auto code = value ? FaultCode::out_of_range : FaultCode::malformed;
    fault(name, code, fmt::format("{} is no whole number between {} and {}", in_quotes(*text), least, most));
    return std::nullopt;
}

bool QueryReader::flag(std::string_view name) {
    constexpr std::string_view names[] = {"false", "true"};
    return word(name, names).value_or(0) == 1;
}

std::optional<std::size_t> QueryReader::word(std::string_view name, std::span<const std::string_view> allowed) {
    const auto found = words(name, allowed);
    if (found.size() > 1) fault(name, FaultCode::conflict, fmt::format("parameter '{}' is given more than once", name));
    if (found.size() != 1) return std::nullopt;
    return found.front();
}

std::vector<std::size_t> QueryReader::words(std::string_view name, std::span<const std::string_view> allowed) {
    std::vector<std::size_t> found;
    for (const auto& value : many(name)) {
        const auto at = std::find(allowed.begin(), allowed.end(), value);
        if (at == allowed.end()) {
            fault(name, FaultCode::out_of_range, fmt::format("{} is none of {}", in_quotes(value), fmt::join(allowed, ", ")));
        } else {
            found.push_back(static_cast<std::size_t>(at - allowed.begin()));
        }
    }
    return found;
}

std::size_t QueryReader::limit() {
    constexpr std::int64_t most = 500;
    constexpr std::int64_t usual = 50;
    return static_cast<std::size_t>(integer("limit", 1, most).value_or(usual));
}

std::string QueryReader::cursor() { return one("cursor").value_or(""); }

engine::Faults QueryReader::finish() {
    std::set<std::string_view> unknown;
    for (const auto& [name, value] : request_->query) {
        if (known_.find(name) == known_.end()) unknown.insert(name);
    }
    for (const auto name : unknown) {
        fault(name, FaultCode::unknown_field, fmt::format("there is no parameter {} here; known are: {}", in_quotes(name), fmt::join(known_, ", ")));
    }
    return std::move(faults_);
}

std::optional<Response> QueryReader::refusal() {
    const auto faults = finish();
    if (faults.empty()) return std::nullopt;
    return problem(*request_, ProblemKind::unknown_parameter, faults.front().detail, faults);
}

}  // namespace catenary::api::http
