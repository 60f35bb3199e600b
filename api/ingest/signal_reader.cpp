#include "api/ingest/signal_reader.hpp"

#include "api/ingest/content.hpp"
#include "api/json/quoted.hpp"
#include "api/json/time_json.hpp"
#include "engine/model/ascii.hpp"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <memory>

namespace catenary::api::ingest {
namespace {

using engine::FaultCode;
using json::in_quotes;

// The members of a signal, in the order senders usually write them. All but time, source, domain and name may be left out:
// - severity is `informational` then: nobody has called it worse.
// - confidence is 0.1 then: it supports a declared pattern, and weighs 3.5 bits at the default base rate, below the 4 from which a signal opens an
//   incident by itself. A sender who wants more has to say so.
// - count is 1, id is derived from the content, the others are empty.
enum Member : std::size_t { id, source, time, domain, name, title, tactics, techniques, severity, confidence, count, entities, attributes };
constexpr std::array<std::string_view, 13> member_names{"id",         "source",   "time",       "domain", "name",     "title",     "tactics",
                                                        "techniques", "severity", "confidence", "count",  "entities", "attributes"};
constexpr double unsaid_confidence = 0.1;

constexpr std::size_t most_id_bytes = 512;
constexpr std::size_t most_source_bytes = 128;
constexpr std::size_t most_word_bytes = 64;
constexpr std::size_t most_name_bytes = 256;
constexpr std::size_t most_title_bytes = 1024;
constexpr std::size_t most_attack_ids = 32;
constexpr std::int64_t most_count = 1'000'000'000;  // ten million signals of this size still add up in 64 bits
constexpr engine::Timestamp first_time{std::chrono::sys_days{std::chrono::year{1990} / 1 / 1}};
constexpr std::string_view reserved_source = "catenary";

constexpr std::size_t item_depth = 1;  // the signal's own object

bool all_digits(std::string_view text) { return std::all_of(text.begin(), text.end(), engine::is_ascii_digit); }

/// "TA0001", "T1078", "T1078.004".
bool is_attack_id(std::string_view text, std::string_view prefix) {
    if (!text.starts_with(prefix)) return false;
    text.remove_prefix(prefix.size());
    if (text.size() == 4) return all_digits(text);
    return prefix == "T" && text.size() == 8 && all_digits(text.substr(0, 4)) && text[4] == '.' && all_digits(text.substr(5));
}

}  // namespace

SignalReader::SignalReader(PreparedBatch& batch, const Caller& caller, engine::Timestamp now, const IngestLimits& limits)
    : batch_{&batch}, caller_{&caller}, now_{now}, limits_{limits}, members_{batch.arena, limits.depth}, entities_{members_, limits} {}

void SignalReader::read(ondemand::value& value) {
    if (value.type().value() == ondemand::json_type::object) return read(value.get_object().value());
    members_.start(text_);
    signal_ = PreparedSignal{};
    members_.is(ondemand::json_type::object, value, {Place{}, 0});  // reads it away and says so
}

void SignalReader::read(ondemand::object object) {
    members_.start(text_);
    signal_ = PreparedSignal{};
    signal_.confidence = unsaid_confidence;
    signal_.plain_attributes = true;
    const Place item;
    MemberNames names{members_, member_names};
    for (auto entry : object) {
        auto& field = taken(entry);
        const auto [index, name] = names.find(field, item);
        const Place place{item, name};
        if (index < member_names.size()) {
            member(index, field.value(), place);
        } else {
            names.unknown(field.value(), {place, item_depth});
        }
    }
    for (const auto required : {Member::source, Member::time, Member::domain, Member::name}) names.require(required, item);
}

void SignalReader::member(std::size_t index, ondemand::value& value, const Place& place) {
    const At at{place, item_depth};
    switch (index) {
        case Member::id: signal_.id = members_.line(value, at, most_id_bytes).value_or(""); return;
        case Member::source:
            if (const auto given = members_.line(value, at, most_source_bytes)) check_source(*given, place);
            return;
        case Member::time:
            if (const auto given = members_.text(value, at, most_word_bytes)) check_time(*given, place);
            return;
        case Member::domain: signal_.domain = members_.word(value, at, most_word_bytes).value_or(""); return;
        case Member::name: signal_.name = members_.line(value, at, most_name_bytes).value_or(""); return;
        case Member::title: signal_.title = members_.text(value, at, most_title_bytes).value_or(""); return;
        case Member::tactics: signal_.tactics = attack_ids(value, at, "TA"); return;
        case Member::techniques: signal_.techniques = attack_ids(value, at, "T"); return;
        case Member::severity:
            if (const auto given = members_.text(value, at, most_word_bytes)) check_severity(*given, place);
            return;
        case Member::confidence: signal_.confidence = members_.number(value, at, 0, 1).value_or(0) + 0.0; return;  // -0 becomes 0
        case Member::count: signal_.count = members_.integer(value, at, 1, most_count).value_or(1); return;
        case Member::entities: {
            const auto read = entities_.read(value, at);
            signal_.entities = read.list;
            signal_.shown = read.shown;
            signal_.aliases = read.aliases;
            return;
        }
        case Member::attributes: {
            if (!members_.is(ondemand::json_type::object, value, at)) return;
            const auto read = members_.any(value, at);
            if (read.text != "{}") signal_.attributes = kept(read.text, batch_->arena);
            signal_.plain_attributes = read.plain;
            return;
        }
        default: return;
    }
}

void SignalReader::check_source(std::string_view given, const Place& place) {
    if (given == reserved_source) {
        members_.fault(FaultCode::out_of_range, place, fmt::format("source '{}' is reserved for what the server derives", reserved_source));
    } else if (!caller_->sources.empty() && !caller_->sources.contains(std::string{given})) {
        members_.fault(FaultCode::out_of_range, place, fmt::format("the key may not post for source {}", in_quotes(given)));
    }
    signal_.source = given;
}

void SignalReader::check_severity(std::string_view word, const Place& place) {
    const auto severity = engine::severity_from(word);
    if (!severity) members_.fault(FaultCode::out_of_range, place, fmt::format("{} is none of informational, low, medium, high", in_quotes(word)));
    signal_.severity = severity.value_or(engine::Severity::informational);
}

void SignalReader::check_time(std::string_view text, const Place& place) {
    const auto given = json::parse_time(text);
    if (!given) {
        return members_.fault(FaultCode::malformed, place, fmt::format("{} is no RFC 3339 time with an offset, such as 2026-03-05T22:47:11Z", in_quotes(text)));
    }
    if (*given < first_time) {
        return members_.fault(FaultCode::out_of_range, place, fmt::format("{} is before 1990-01-01T00:00:00Z", in_quotes(text)));
    }
    if (*given > now_ + limits_.future) {
        return members_.fault(
            FaultCode::out_of_range, place,
            fmt::format("{} is more than {} in the future: it is {} now", in_quotes(text), json::format_span(limits_.future), json::format_time(now_)));
    }
    signal_.time = *given;
}

std::span<const std::string_view> SignalReader::attack_ids(ondemand::value& value, const At& at, std::string_view prefix) {
    if (!members_.is(ondemand::json_type::array, value, at)) return {};
    ids_.clear();
    std::size_t index = 0;
    for (ondemand::array entries = value.get_array().value(); auto entry : entries) {
        auto& item = taken(entry);
        const Place place{at.place, index};
        if (index++ == most_attack_ids) members_.fault(FaultCode::too_large, place, fmt::format("at most {} are allowed", most_attack_ids));
        if (index > most_attack_ids) continue;  // skipped by the parser; the item is refused
        const auto given = members_.text(item, {place, at.depth + 1}, most_word_bytes);
        if (!given) continue;
        if (!is_attack_id(*given, prefix)) {
            members_.fault(FaultCode::malformed, place,
                           fmt::format("{} is no ATT&CK id such as {}", in_quotes(*given), prefix == "T" ? "T1078 or T1078.004" : "TA0001"));
        }
        ids_.push_back(*given);
    }
    if (ids_.empty()) return {};
    if (ids_.size() > 1) {
        std::sort(ids_.begin(), ids_.end());
        ids_.erase(std::unique(ids_.begin(), ids_.end()), ids_.end());
    }
    auto* copy = static_cast<std::string_view*>(batch_->arena.allocate(ids_.size() * sizeof(std::string_view), alignof(std::string_view)));
    std::uninitialized_copy(ids_.begin(), ids_.end(), copy);
    return {copy, ids_.size()};
}

std::string_view SignalReader::derived_id() {
    scratch_.clear();
    content_bytes(signal_, scratch_);
    std::array<unsigned char, 16> digest{};
    crypto_generichash(digest.data(), digest.size(), reinterpret_cast<const unsigned char*>(scratch_.data()), scratch_.size(), nullptr, 0);
    scratch_ = "c-";
    for (const auto byte : digest) fmt::format_to(std::back_inserter(scratch_), "{:02x}", byte);
    return kept(scratch_, batch_->arena);
}

void SignalReader::keep(std::uint32_t index, std::size_t bytes) {
    if (bytes > limits_.signal_bytes) {
        members_.fault(FaultCode::too_large, Place{}, fmt::format("the signal is {} bytes long; at most {} are allowed", bytes, limits_.signal_bytes));
    }
    if (!members_.faults().empty()) {
        batch_->refused.push_back({index, std::string{signal_.id}, said_.admit(members_.faults())});
        return;
    }
    signal_.index = index;
    if (signal_.id.empty()) signal_.id = derived_id();
    batch_->signals.push_back(signal_);
}

void SignalReader::refuse(std::uint32_t index, engine::FaultCode code, std::string detail) {
    batch_->refused.push_back({index, {}, {engine::Fault{code, "", std::move(detail)}}});
}

}  // namespace catenary::api::ingest
