#include "api/ingest/value_walk.hpp"

#include "api/json/number.hpp"
#include "api/json/quoted.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace catenary::api::ingest {
namespace {

using engine::FaultCode;

/// By the grammar of RFC 8259; tells a number that is too large from text that is no number.
bool is_number(std::string_view token) {
    std::size_t at = 0;
    const auto digits = [&] {
        const auto from = at;
        while (at < token.size() && token[at] >= '0' && token[at] <= '9') ++at;
        return at - from;
    };
    const auto take = [&](std::string_view letters) {
        const bool here = at < token.size() && letters.find(token[at]) != std::string_view::npos;
        if (here) ++at;
        return here;
    };
    take("-");
    const bool leading_zero = at < token.size() && token[at] == '0';
    const auto whole = digits();
    if (whole == 0 || (leading_zero && whole > 1)) return false;
    if (take(".") && digits() == 0) return false;
    if (take("eE")) {
        take("+-");
        if (digits() == 0) return false;
    }
    return at == token.size();
}

}  // namespace

ValueWalk::Minified ValueWalk::walk(ondemand::value& value, std::size_t depth, const Place& place) {
    text_.clear();
    names_.clear();
    plain_ = true;
    read(value, depth, place);
    return {text_, plain_};
}

void ValueWalk::read(ondemand::value& value, std::size_t depth, const Place& place) {
    switch (value.type().value()) {
        case ondemand::json_type::object: return object(value, depth + 1, place);
        case ondemand::json_type::array: return list(value, depth + 1, place);
        case ondemand::json_type::string: return string(strings_->take(value), place);
        case ondemand::json_type::number: return number(value, place);
        case ondemand::json_type::boolean: text_ += value.get_bool().value() ? "true" : "false"; return;
        case ondemand::json_type::null:
            if (!value.is_null().value()) throw simdjson::simdjson_error(simdjson::N_ATOM_ERROR);
            text_ += "null";
            return;
    }
}

bool ValueWalk::too_deep(std::size_t depth, const Place& place) {
    if (depth <= most_depth_) return false;
    faults_->add(FaultCode::too_large, place, fmt::format("lists and objects nested more than {} deep", most_depth_));
    return true;  // left unread: the parser skips it, and the item is refused anyway
}

void ValueWalk::object(ondemand::value& value, std::size_t depth, const Place& place) {
    if (too_deep(depth, place)) return;
    const auto first_name = names_.size();
    text_ += '{';
    bool rising = true;
    for (ondemand::object entries = value.get_object().value(); auto entry : entries) {
        auto& field = taken(entry);
        const auto token = strings_->name(field);
        const auto name = strings_->text(token);
        const Place inner{place, name.characters};
        if (name.fault != TextFault::none) faults_->add(FaultCode::malformed, inner, fmt::format("a member name holds {}", describe(name.fault)));
        if (names_.size() > first_name) {
            text_ += ',';
            rising = rising && names_.back() < name.characters;
        }
        plain_ = plain_ && rising && !token.escapes;
        names_.push_back(name.characters);
        text_ += '"';
        text_ += token.raw;
        text_ += "\":";
        read(field.value(), depth, inner);
    }
    text_ += '}';
    if (!rising) refuse_repeated_names(first_name, place);
    names_.resize(first_name);
}

void ValueWalk::refuse_repeated_names(std::size_t from, const Place& place) {
    const auto begin = names_.begin() + static_cast<std::ptrdiff_t>(from);
    std::sort(begin, names_.end());
    for (auto it = begin; (it = std::adjacent_find(it, names_.end())) != names_.end(); ++it) {
        faults_->add(FaultCode::conflict, {place, *it}, "this member is given more than once");
    }
}

void ValueWalk::list(ondemand::value& value, std::size_t depth, const Place& place) {
    if (too_deep(depth, place)) return;
    text_ += '[';
    std::size_t index = 0;
    for (ondemand::array entries = value.get_array().value(); auto entry : entries) {
        if (index > 0) text_ += ',';
        read(taken(entry), depth, {place, index++});
    }
    text_ += ']';
}

void ValueWalk::string(const StringToken& token, const Place& place) {
    text_ += '"';
    text_ += token.raw;
    text_ += '"';
    if (!token.escapes) return;
    plain_ = plain_ && has_shortest_escapes(token.raw);
    scratch_.clear();
    if (const auto fault = decode_text(token.raw, scratch_); fault != TextFault::none) {
        faults_->add(FaultCode::malformed, place, fmt::format("the string holds {}", describe(fault)));
    }
}

void ValueWalk::number(ondemand::value& value, const Place& place) {
    const auto token = token_of(value);
    text_ += token;
    plain_ = plain_ && is_plain_number(token);
    if (const auto error = value.get_double().error(); error != simdjson::SUCCESS) {
        if (!is_number(token)) throw simdjson::simdjson_error(error);
        faults_->add(FaultCode::out_of_range, place, fmt::format("{} is beyond the range of numbers", json::in_quotes(token)));
        return;
    }
    if (json::is_exact_number(token)) return;
    faults_->add(FaultCode::out_of_range, place, fmt::format("{} cannot be held exactly; whole numbers beyond 2^53 are strings", json::in_quotes(token)));
}

}  // namespace catenary::api::ingest
