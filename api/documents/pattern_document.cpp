#include "api/documents/pattern_document.hpp"

#include "api/documents/absence_document.hpp"
#include "api/documents/members.hpp"
#include "api/documents/stage_document.hpp"
#include "api/json/time_json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string>

namespace catenary::api::documents {

using engine::FaultCode;
using nlohmann::json;

namespace {

constexpr std::array<std::string_view, 18> pattern_members{"id",     "title",   "description", "severity", "tactics",  "techniques",
                                                           "mode",   "order",   "within",      "max_span", "link",     "stages",
                                                           "absent", "require", "strict",      "overlap",  "examples", "effective_from"};
constexpr std::array<std::string_view, 4> severities{"informational", "low", "medium", "high"};
constexpr std::array<std::string_view, 3> modes{"off", "flighting", "production"};
constexpr std::array<std::string_view, 2> orders{"sequence", "any"};
constexpr std::array<std::string_view, 2> link_members{"same", "chain"};
constexpr std::array<std::string_view, 1> require_members{"domains"};
constexpr std::array<std::string_view, 2> example_members{"must_match", "must_not_match"};
constexpr std::size_t most_stages = 10;
constexpr std::size_t most_link_kinds = 8;
constexpr std::size_t most_attack_ids = 64;

bool digits(std::string_view text, std::size_t from, std::size_t count) {
    if (text.size() < from + count) return false;
    return std::ranges::all_of(text.substr(from, count), [](char c) { return c >= '0' && c <= '9'; });
}
bool is_tactic(std::string_view id) { return id.size() == 6 && id.starts_with("TA") && digits(id, 2, 4); }
bool is_technique(std::string_view id) {
    if (!id.starts_with('T') || !digits(id, 1, 4)) return false;
    return id.size() == 5 || (id.size() == 9 && id[5] == '.' && digits(id, 6, 3));
}

/// ATT&CK ids, sorted, each once.
std::vector<std::string> attack_ids(const Place& place, const json& value, bool (*is_id)(std::string_view), std::string_view like) {
    std::vector<std::string> ids;
    if (read_list(place, value, 0, most_attack_ids) == nullptr) return ids;
    for (std::size_t i = 0; i < value.size(); ++i) {
        auto id = read_line(place.item(i), value[i], 16);
        if (!id) continue;
        if (is_id(*id)) ids.push_back(std::move(*id));
        else place.item(i).fault(FaultCode::malformed, fmt::format("{} is no ATT&CK id like {}", in_quotes(*id), like));
    }
    std::ranges::sort(ids);
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    return ids;
}

void read_link(const Place& place, const json& value, engine::Pattern& pattern) {
    if (read_object(place, value, link_members) == nullptr) return;
    const auto* same = optional_member(value, "same");
    const auto* chain = optional_member(value, "chain");
    if ((same == nullptr) == (chain == nullptr)) {
        place.fault(same == nullptr ? FaultCode::missing : FaultCode::conflict,
                    "a link names its entity kinds in one way: {\"same\": [\"account\"]} or {\"chain\": [\"account\", \"host\"]}");
        return;
    }
    const auto* kinds = same != nullptr ? same : chain;
    const auto named = place.member(same != nullptr ? "same" : "chain");
    if (read_list(named, *kinds, 1, most_link_kinds) == nullptr) return;
    pattern.link = same != nullptr ? engine::LinkMode::same : engine::LinkMode::chain;
    for (std::size_t i = 0; i < kinds->size(); ++i) {
        const auto at = named.item(i);
        auto kind = read_kind(at, (*kinds)[i]);
        if (!kind) continue;
        if (std::ranges::find(pattern.link_kinds, *kind) != pattern.link_kinds.end()) at.fault(FaultCode::conflict, in_quotes(*kind) + " is listed twice");
        else pattern.link_kinds.push_back(std::move(*kind));
    }
}

/// After the stages, which they name.
void read_absent(const Place& place, const json& value, PatternDocument& document) {
    if (read_list(place, value, 0, engine::Absence::most) == nullptr) return;
    for (std::size_t i = 0; i < value.size(); ++i) {
        auto absence = absence_from_json(place.item(i), value[i], document.pattern.stages);
        document.pattern.absent.push_back(std::move(absence.absence));
        document.absent_matches.push_back(std::move(absence.match));
    }
}

void read_require(const Place& place, const json& value, engine::Pattern& pattern) {
    if (read_object(place, value, require_members) == nullptr) return;
    const auto* domains = optional_member(value, "domains");
    if (domains == nullptr) return;
    if (const auto least = read_integer(place.member("domains"), *domains, 1, 4)) pattern.required_domains = static_cast<int>(*least);
}

/// Examples are kept as posted; only their outline is checked here: lists of stories, a story is a list of signals.
json read_examples(const Place& place, const json& value) {
    if (read_object(place, value, example_members) == nullptr) return nullptr;
    for (const auto& [name, stories] : value.items()) {
        const auto list = place.member(name);
        if (std::ranges::find(example_members, name) == example_members.end()) continue;  // said already
        if (read_list(list, stories, 0, 32) == nullptr) continue;
        for (std::size_t i = 0; i < stories.size(); ++i) {
            if (read_list(list.item(i), stories[i], 1, 256) == nullptr) continue;
            for (std::size_t k = 0; k < stories[i].size(); ++k) {
                if (!stories[i][k].is_object())
                    list.item(i).item(k).fault(FaultCode::wrong_type, fmt::format("a signal is an object, not {}", type_name(stories[i][k])));
            }
        }
    }
    return value;
}

void read_stages(const Place& place, const json& value, PatternDocument& document) {
    if (read_list(place, value, 1, most_stages) == nullptr) return;
    for (std::size_t i = 0; i < value.size(); ++i) {
        auto stage = stage_from_json(place.item(i), value[i]);
        document.pattern.stages.push_back(std::move(stage.stage));
        document.matches.push_back(std::move(stage.match));
    }
}

void read_optional(const Place& place, const json& value, PatternDocument& document) {
    auto& pattern = document.pattern;
    const auto with = [&place, &value](std::string_view name, auto&& take) {
        if (const auto* found = optional_member(value, name)) take(place.member(name), *found);
    };
    with("description", [&](const Place& at, const json& v) { pattern.description = read_text(at, v, 4096).value_or(""); });
    with("severity", [&](const Place& at, const json& v) {
        if (const auto index = read_word(at, v, severities)) pattern.severity = *engine::severity_from(severities[*index]);
    });
    with("tactics", [&](const Place& at, const json& v) { pattern.tactics = attack_ids(at, v, is_tactic, "TA0001"); });
    with("techniques", [&](const Place& at, const json& v) { pattern.techniques = attack_ids(at, v, is_technique, "T1078 or T1078.004"); });
    with("mode", [&](const Place& at, const json& v) {
        if (const auto index = read_word(at, v, modes)) pattern.mode = *mode_from(modes[*index]);
    });
    with("order", [&](const Place& at, const json& v) {
        if (read_word(at, v, orders) == std::size_t{1}) pattern.order = engine::Order::any;
    });
    with("strict", [&](const Place& at, const json& v) { pattern.strict = read_bool(at, v).value_or(false); });
    with("overlap", [&](const Place& at, const json& v) { pattern.overlap = read_bool(at, v).value_or(false); });
    with("absent", [&](const Place& at, const json& v) { read_absent(at, v, document); });
    with("require", [&](const Place& at, const json& v) { read_require(at, v, pattern); });
    with("max_span", [&](const Place& at, const json& v) { pattern.max_span = read_span(at, v).value_or(pattern.max_span); });
    with("link", [&](const Place& at, const json& v) { read_link(at, v, pattern); });
    with("examples", [&](const Place& at, const json& v) { document.examples = read_examples(at, v); });
    with("effective_from", [&](const Place& at, const json& v) {
        const auto text = read_line(at, v, 64);
        if (!text) return;
        document.effective_from = api::json::parse_time(*text);
        if (!document.effective_from) at.fault(FaultCode::malformed, in_quotes(*text) + " is no RFC 3339 time");
    });
}

bool is_at_or_below(std::string_view pointer, std::string_view above) {
    return pointer.starts_with(above) && (pointer.size() == above.size() || pointer[above.size()] == '/');
}

/// Adds what is wrong across members, except where a member involved is at fault itself: that would be said twice, or be a mere consequence.
void check_whole(const Place& place, const engine::Pattern& pattern, const engine::Faults& faults) {
    const auto own = faults;
    const auto said = [&own](auto&& holds) { return std::ranges::any_of(own, [&](const auto& fault) { return holds(fault.pointer); }); };
    const bool no_link = said([](std::string_view pointer) { return is_at_or_below(pointer, "/link"); });
    const bool no_span = said([](std::string_view pointer) { return pointer == "/max_span"; });
    for (auto& fault : engine::Pattern::check(pattern)) {
        const std::string_view at = fault.pointer;
        if (said([at](std::string_view pointer) { return !pointer.empty() && is_at_or_below(at, pointer); })) continue;
        if (no_link && (is_at_or_below(at, "/link") || at.ends_with("/repeat/by"))) continue;
        if (no_span && at == "/within") continue;
        place.below(at).fault(fault.code, std::move(fault.detail));
    }
}

}  // namespace

std::optional<engine::Mode> mode_from(std::string_view word) {
    if (word == "off") return engine::Mode::off;
    if (word == "flighting") return engine::Mode::flighting;
    if (word == "production") return engine::Mode::production;
    return std::nullopt;
}

Parsed<PatternDocument> pattern_from_json(const json& value) {
    engine::Faults faults;
    const Place place{faults};
    PatternDocument document;
    if (read_object(place, value, pattern_members) == nullptr) return faults;
    auto& pattern = document.pattern;
    if (const auto* id = required(place, value, "id")) pattern.id = read_line(place.member("id"), *id, 128).value_or("");
    if (const auto* title = required(place, value, "title")) pattern.title = read_line(place.member("title"), *title, 256).value_or("");
    if (const auto* within = required(place, value, "within")) pattern.within = read_span(place.member("within"), *within).value_or(engine::Duration{});
    if (const auto* stages = required(place, value, "stages")) read_stages(place.member("stages"), *stages, document);
    read_optional(place, value, document);
    check_whole(place, pattern, faults);
    if (!faults.empty()) return faults;
    return document;
}

engine::Pattern stored_pattern(std::string_view document_json, std::int32_t version, engine::Mode mode) {
    const auto value = json::parse(document_json, nullptr, false);
    auto document = pattern_from_json(value);
    if (!document) throw std::invalid_argument("damaged pattern document: " + document.faults.front().pointer + ": " + document.faults.front().detail);
    document->pattern.version = version;
    document->pattern.mode = mode;
    return std::move(document->pattern);
}

}  // namespace catenary::api::documents
