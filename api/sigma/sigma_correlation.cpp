#include "api/sigma/sigma_correlation.hpp"

#include "api/documents/members.hpp"
#include "api/documents/suggestion.hpp"
#include "api/json/time_json.hpp"
#include "api/sigma/sigma_words.hpp"
#include "engine/predicate/predicate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <set>

namespace catenary::api::sigma {

using documents::in_quotes;
using documents::Place;
using engine::FaultCode;
using nlohmann::json;

namespace {

constexpr std::array<std::string_view, 7> members{"type", "rules", "group-by", "timespan", "condition", "aliases", "generate"};
constexpr std::array<std::string_view, 4> types{"event_count", "value_count", "temporal", "temporal_ordered"};
constexpr std::array<std::string_view, 7> count_words{"gt", "gte", "eq", "neq", "lt", "lte", "field"};
constexpr engine::Duration longest = std::chrono::days{14};
constexpr std::int64_t most_count = 1'000'000'000;

constexpr std::size_t longest_id = 64;

/// The begin of `text`, never cut inside a character, with `end` after it.
std::string stage_id(std::string_view text, std::string_view end = {}) {
    auto most = std::min(text.size(), longest_id - end.size());
    while (most < text.size() && most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0U) == 0x80U) --most;
    return std::string{text.substr(0, most)} + std::string{end};
}

/// A scalar as a list of one.
std::vector<json> items_of(const json& value) { return value.is_array() ? value.get<std::vector<json>>() : std::vector<json>{value}; }

}  // namespace

std::vector<std::string> references_of(const json& correlation) {
    std::vector<std::string> names;
    const auto* rules = documents::optional_member(correlation, "rules");
    if (rules == nullptr) return names;
    for (const auto& item : items_of(*rules)) {
        if (item.is_string()) names.push_back(item.get<std::string>());
    }
    return names;
}

Correlation::Correlation(Place place, const json& correlation, std::vector<Loss>& losses, Resolve resolve)
    : place_{std::move(place)}, correlation_{correlation}, losses_{losses}, resolve_{std::move(resolve)} {}

void Correlation::loss(std::string pointer, std::string detail) const { losses_.push_back({std::move(pointer), std::move(detail)}); }

void Correlation::write(nlohmann::ordered_json& document) {
    if (documents::read_object(place_, correlation_, members) == nullptr) return;
    const auto chosen = type();
    if (!chosen) return;
    if (*chosen == Type::event_count || *chosen == Type::value_count) write_counted(document);
    else write_temporal(document, *chosen == Type::temporal_ordered);
}

std::optional<Correlation::Type> Correlation::type() const {
    const auto* value = documents::required(place_, correlation_, "type");
    if (value == nullptr) return std::nullopt;
    const auto at = place_.member("type");
    const bool is_statistic = *value == "value_sum" || *value == "value_avg" || *value == "value_percentile";
    if (is_statistic) {
        at.fault(FaultCode::unsupported, "a pattern counts signals or different values; it does not add values up");
        return std::nullopt;
    }
    const auto index = documents::read_word(at, *value, types);
    return index ? std::optional{static_cast<Type>(*index)} : std::nullopt;
}

/// `timespan` as a span of ours.
std::optional<std::string> Correlation::span() const {
    const auto* value = documents::required(place_, correlation_, "timespan");
    if (value == nullptr) return std::nullopt;
    const auto at = place_.member("timespan");
    auto text = documents::read_line(at, *value, 16);
    if (!text) return std::nullopt;
    std::optional<engine::Duration> span;
    if (text->ends_with('w')) {
        text->back() = 'd';
        if (const auto weeks = api::json::parse_span(*text); weeks && *weeks <= longest) span = *weeks * 7;
        text->back() = 'w';
    } else {
        span = api::json::parse_span(*text);
    }
    if (!span) {
        at.fault(FaultCode::malformed, in_quotes(*text) + " is no span: a positive whole number and s, m, h, d or w");
    } else if (*span > longest) {
        at.fault(FaultCode::out_of_range, fmt::format("{} is longer than a pattern may take, {}", in_quotes(*text), api::json::format_span(longest)));
    } else {
        return api::json::format_span(*span);
    }
    return std::nullopt;
}

std::optional<std::string> Correlation::kind_of(const std::string& field) const {
    const auto* aliases = documents::optional_member(correlation_, "aliases");
    const auto* alias = aliases != nullptr && aliases->is_object() ? documents::optional_member(*aliases, field) : nullptr;
    if (alias == nullptr) return kind_of_field(field);
    const auto where = place_.member("aliases").member(field);
    if (!alias->is_object() || alias->empty()) {
        where.fault(FaultCode::wrong_type, "an alias says for each rule which of its fields is meant");
        return std::nullopt;
    }
    std::set<std::string> kinds;
    for (const auto& [rule, named] : alias->items()) {
        const auto kind = named.is_string() ? kind_of_field(named.get_ref<const std::string&>()) : std::nullopt;
        if (!kind) {
            where.member(rule).fault(FaultCode::unsupported,
                                     fmt::format("{} holds no kind of entity that is known", named.is_string() ? in_quotes(named.get<std::string>()) : "this"));
            return std::nullopt;
        }
        kinds.insert(*kind);
    }
    if (kinds.size() == 1) return *kinds.begin();
    where.fault(FaultCode::unsupported, "its fields hold entities of different kinds: a pattern links by one");
    return std::nullopt;
}

/// What the rule's signals have in common: the first field of `group-by` that is a kind of entity.
std::optional<std::string> Correlation::kind() const {
    const auto at = place_.member("group-by");
    const auto* value = documents::optional_member(correlation_, "group-by");
    if (value == nullptr) {
        at.fault(FaultCode::missing, "signals that have no entity in common are not linked; group by an account, a host, an address …");
        return std::nullopt;
    }
    const auto fields = items_of(*value);
    std::optional<std::string> chosen;
    for (std::size_t i = 0; i < fields.size(); ++i) {
        const auto where = value->is_array() ? at.item(i) : at;
        const auto field = documents::read_line(where, fields[i], 256);
        if (!field) return std::nullopt;
        const auto kind = kind_of(*field);
        if (!chosen && kind) {
            chosen = kind;
        } else {
            loss(where.pointer(), kind ? "a pattern links by one entity, the signals need not agree on this field as well"
                                       : "holds no kind of entity that is known, the signals need not agree on it");
        }
    }
    if (!chosen)
        at.fault(FaultCode::unsupported,
                 "no field of it holds a kind of entity that is known: account, host, ip, mailbox, process, file, url, domain, app, cloud_resource");
    return chosen;
}

std::optional<Correlation::Count> Correlation::count(bool distinct) const {
    const auto* condition = documents::required(place_, correlation_, "condition");
    if (condition == nullptr) return std::nullopt;
    const auto at = place_.member("condition");
    if (documents::read_object(at, *condition, count_words) == nullptr) return std::nullopt;
    Count count{0, std::nullopt};
    for (const auto* word : {"gte", "gt", "eq"}) {
        const auto* number = documents::optional_member(*condition, word);
        if (number == nullptr) continue;
        const bool exceeds = std::string_view{word} == "gt";
        const auto least = documents::read_integer(at.member(word), *number, exceeds ? 0 : 1, most_count - 1);
        if (!least) return std::nullopt;
        count.at_least = std::max(count.at_least, *least + (exceeds ? 1 : 0));
        if (std::string_view{word} == "eq") loss(at.member(word).pointer(), "more than so many are found as well");
    }
    for (const auto* word : {"lt", "lte", "neq"}) {
        if (!condition->contains(word)) continue;
        if (count.at_least == 0) at.member(word).fault(FaultCode::unsupported, "a pattern finds what happened at least so often; give gte, gt or eq");
        else loss(at.member(word).pointer(), "there is no upper bound: more are found as well");
    }
    if (count.at_least == 0) {
        if (!condition->contains("lt") && !condition->contains("lte") && !condition->contains("neq"))
            at.fault(FaultCode::missing, "names no count: give gte, gt or eq");
        return std::nullopt;
    }
    if (!distinct) return count;
    const auto* named = documents::required(at, *condition, "field");
    const auto field = named == nullptr ? std::nullopt : documents::read_line(at.member("field"), *named, 256);
    if (!field) return std::nullopt;
    const auto kind = kind_of_field(*field);
    count.distinct = kind ? "entities." + *kind : engine::Field::parse(*field) ? *field : "attributes." + *field;
    if (!engine::Field::parse(*count.distinct)) {
        at.member("field").fault(FaultCode::unsupported, in_quotes(*field) + " is no field of signals");
        return std::nullopt;
    }
    return count;
}

/// What any of the rules selects.
std::optional<json> Correlation::predicate_of_rules() const {
    const auto at = place_.member("rules");
    std::vector<json> names;
    std::vector<json> others;
    const auto* rules = documents::required(place_, correlation_, "rules");
    if (rules == nullptr) return std::nullopt;
    const auto items = items_of(*rules);
    if (items.empty()) {
        at.fault(FaultCode::out_of_range, "names no rule");
        return std::nullopt;
    }
    bool sound = true;
    for (std::size_t i = 0; i < items.size(); ++i) {
        const auto where = rules->is_array() ? at.item(i) : at;
        const auto name = documents::read_line(where, items[i], 256);
        if (!name) return std::nullopt;
        auto reference = resolve_(*name);
        for (const auto& fault : reference.faults) where.fault(fault.code, fmt::format("{}: {}", fault.pointer, fault.detail));
        if (reference.correlation != nullptr)
            where.fault(FaultCode::unsupported, "findings of another correlation are not counted; only selections of log records are");
        if (!reference.faults.empty() || reference.correlation != nullptr) sound = false;
        else if (reference.predicate.size() == 1 && reference.predicate.contains("name") && reference.predicate["name"].is_string())
            names.push_back(reference.predicate["name"]);
        else others.push_back(std::move(reference.predicate));
    }
    if (!sound) return std::nullopt;
    if (!names.empty()) others.push_back({{"name", names.size() == 1 ? names.front() : json(names)}});
    if (others.size() == 1) return others.front();
    return json{{"any_of", others}};
}

void Correlation::write_counted(nlohmann::ordered_json& document) {
    const auto within = span();
    const auto link = kind();
    const auto wanted = count(correlation_["type"] == "value_count");
    const auto match = predicate_of_rules();
    if (!within || !link || !wanted || !match) return;
    nlohmann::ordered_json repeat{{"at_least", wanted->at_least}, {"within", *within}, {"by", *link}};
    if (wanted->distinct) repeat["distinct"] = *wanted->distinct;
    document["within"] = *within;
    document["link"] = {{"same", {*link}}};
    document["stages"] = nlohmann::ordered_json::array({{{"id", "counted"}, {"match", *match}, {"repeat", std::move(repeat)}}});
}

/// Sigma may ask for some of the rules; a pattern asks for each of its stages.
void Correlation::check_all_are_asked_for(std::size_t rules) const {
    const auto* condition = documents::optional_member(correlation_, "condition");
    if (condition == nullptr) return;
    const auto at = place_.member("condition");
    const auto asked = [&](const char* word, std::size_t extra) {
        const auto* number = condition->is_object() ? documents::optional_member(*condition, word) : nullptr;
        return number != nullptr && number->is_number_unsigned() && number->get<std::size_t>() + extra == rules;
    };
    if (condition->is_object() && condition->size() == 1 && (asked("gte", 0) || asked("eq", 0) || asked("gt", 1))) return;
    at.fault(FaultCode::unsupported, fmt::format("a pattern asks for every rule: leave the condition out, or write {{\"gte\": {}}}", rules));
}

nlohmann::ordered_json Correlation::stage(const Place& at, const std::string& name, const std::string& link_kind) const {
    auto reference = resolve_(name);
    for (const auto& fault : reference.faults) at.fault(fault.code, fmt::format("{}: {}", fault.pointer, fault.detail));
    nlohmann::ordered_json written{{"id", stage_id(name)}, {"match", reference.predicate}};
    if (reference.correlation == nullptr) return written;
    const Correlation inner{at.at(reference.pointer + "/correlation"), *reference.correlation, losses_, resolve_};
    if (documents::read_object(inner.place_, inner.correlation_, members) == nullptr) return written;
    const auto type = inner.type();
    if (!type) return written;
    if (*type == Type::temporal || *type == Type::temporal_ordered) {
        at.fault(FaultCode::unsupported, "a stage is a count or a selection; write the rules of " + in_quotes(name) + " out here");
        return written;
    }
    const auto within = inner.span();
    const auto kind = inner.kind();
    const auto wanted = inner.count(*type == Type::value_count);
    const auto match = inner.predicate_of_rules();
    if (!within || !kind || !wanted || !match) return written;
    if (*kind != link_kind) at.fault(FaultCode::unsupported, fmt::format("groups by {}, but what it is part of by {}", *kind, link_kind));
    written["match"] = *match;
    auto& repeat = written["repeat"] = {{"at_least", wanted->at_least}, {"within", *within}, {"by", *kind}};
    if (wanted->distinct) repeat["distinct"] = *wanted->distinct;
    return written;
}

void Correlation::write_temporal(nlohmann::ordered_json& document, bool ordered) {
    const auto within = span();
    const auto link = kind();
    const auto* rules = documents::required(place_, correlation_, "rules");
    if (rules == nullptr) return;
    const auto items = items_of(*rules);
    check_all_are_asked_for(items.size());
    const auto at = place_.member("rules");
    auto stages = nlohmann::ordered_json::array();
    auto reach = engine::Duration{};  // counted stages begin before the instant that Sigma dates them by
    std::set<std::string> ids;
    for (std::size_t i = 0; i < items.size(); ++i) {
        const auto where = rules->is_array() ? at.item(i) : at;
        const auto name = documents::read_line(where, items[i], 256);
        if (!name) continue;
        auto written = stage(where, *name, link.value_or(""));
        if (!ids.insert(written["id"].get<std::string>()).second) {
            written["id"] = stage_id(*name, fmt::format("-{}", i + 1));
            ids.insert(written["id"].get<std::string>());
        }
        if (written.contains("repeat") && (!ordered || i == 0)) reach = std::max(reach, *api::json::parse_span(written["repeat"]["within"].get<std::string>()));
        stages.push_back(std::move(written));
    }
    if (!within || !link) return;
    auto longest_wait = *api::json::parse_span(*within);
    if (reach > engine::Duration{}) {
        longest_wait = std::min(longest_wait + reach, longest);
        loss(place_.member("timespan").pointer(),
             fmt::format("is {} in the pattern, since a count takes part with its first event there and with its last one here",
                         api::json::format_span(longest_wait)));
    }
    document["order"] = ordered ? "sequence" : "any";
    document["within"] = api::json::format_span(longest_wait);
    document["link"] = {{"same", {*link}}};
    document["stages"] = std::move(stages);
}

}  // namespace catenary::api::sigma
