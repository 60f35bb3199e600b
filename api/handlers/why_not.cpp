#include "engine/matching/why_not.hpp"
#include "api/documents/members.hpp"
#include "api/documents/pattern_document.hpp"
#include "api/handlers/body.hpp"
#include "api/handlers/chains.hpp"
#include "api/handlers/pattern_in_path.hpp"
#include "api/handlers/reply.hpp"
#include "api/ingest/attributes.hpp"
#include "api/json/chain_json.hpp"
#include "api/json/finding_json.hpp"
#include "api/json/time_json.hpp"
#include "api/json/why_not_text.hpp"
#include "engine/lane/deployment.hpp"
#include "engine/model/canonical.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <tuple>

namespace catenary::api::handlers {
namespace {

using documents::Place;
using engine::FaultCode;
using Json = nlohmann::ordered_json;
using Reason = engine::WhyNot::Reason;

constexpr std::size_t most_signals = 5'000;   // that are read to answer
constexpr int most_pages = 20;                // of one search: a page may be short where there is much to search through
constexpr std::size_t most_elsewhere = 500;   // of them, that do not mention the entity
constexpr std::size_t most_entities = 100;    // of a chain
constexpr std::size_t most_findings = 2'000;  // that are looked through
constexpr std::size_t most_shown = 20;
constexpr engine::Duration longest_span = std::chrono::days{31};

struct Question {
    engine::EntityKey entity;
    engine::Timestamp from{};
    engine::Timestamp to{};
};

std::optional<engine::EntityKey> read_entity(const Place& place, const nlohmann::json& value) {
    std::string kind, written;
    if (value.is_object()) {
        constexpr std::array<std::string_view, 2> members{"kind", "value"};
        documents::read_object(place, value, members);
        const auto* kind_member = documents::required(place, value, "kind");
        const auto* value_member = documents::required(place, value, "value");
        const auto kind_text = kind_member ? documents::read_line(place.member("kind"), *kind_member, 64) : std::nullopt;
        const auto value_text = value_member ? documents::read_line(place.member("value"), *value_member, 512) : std::nullopt;
        if (!kind_text || !value_text) return std::nullopt;
        kind = *kind_text;
        written = *value_text;
    } else {
        const auto text = documents::read_line(place, value, 600);
        if (!text) return std::nullopt;
        const auto colon = text->find(':');
        if (colon == 0 || colon == std::string::npos || colon + 1 == text->size()) {
            place.fault(FaultCode::malformed, "an entity is written kind:value, such as account:j.morrison@ne.example, or as an object of kind and value");
            return std::nullopt;
        }
        kind = text->substr(0, colon);
        written = text->substr(colon + 1);
    }
    return engine::EntityKey{kind, engine::canonical(kind, written).value};
}

std::optional<engine::Timestamp> read_time(const Place& place, const nlohmann::json& object, std::string_view name) {
    const auto* member = documents::required(place, object, name);
    if (member == nullptr) return std::nullopt;
    const auto at = place.member(name);
    const auto text = documents::read_line(at, *member, 64);
    if (!text) return std::nullopt;
    const auto time = json::parse_time(*text);
    if (!time) at.fault(FaultCode::malformed, "must be an RFC 3339 time with an offset, such as 2026-03-05T22:47:11Z");
    return time;
}

Question read_question(const Place& place, const nlohmann::json& body) {
    constexpr std::array<std::string_view, 3> members{"entity", "from", "to"};
    Question question;
    if (documents::read_object(place, body, members) == nullptr) return question;
    if (const auto* entity = documents::required(place, body, "entity")) {
        question.entity = read_entity(place.member("entity"), *entity).value_or(engine::EntityKey{});
    }
    const auto from = read_time(place, body, "from");
    const auto to = read_time(place, body, "to");
    if (!from || !to) return question;
    question.from = *from;
    question.to = *to;
    if (*to <= *from) place.member("to").fault(FaultCode::conflict, "must be later than from");
    else if (*to - *from > longest_span) place.member("to").fault(FaultCode::out_of_range, "at most 31d after from");
    return question;
}

/// What the stored signals of the span say, as far as they may be read.
class Evidence {
public:
    Evidence(const Question& question, const engine::Pattern& pattern, const Caller& caller, ports::Services& services)
        : question_{question}, pattern_{pattern}, paths_{engine::attribute_paths(pattern)}, caller_{caller}, services_{services} {}

    /// The signals of the entity, and of a chain those of whom they lead to.
    std::optional<ports::Failure> read() {
        std::vector<engine::EntityKey> entities{question_.entity};
        std::set<engine::EntityKey> known{question_.entity};
        const std::size_t hops = pattern_.link == engine::LinkMode::chain ? pattern_.stages.size() : 1;
        for (std::size_t hop = 0; hop < hops && !entities.empty(); ++hop) {
            ports::SignalFilter filter;
            filter.entities = entities;
            const std::size_t first_new = signals_.size();
            if (auto failure = read_some(std::move(filter), most_signals)) return failure;
            entities.clear();
            for (std::size_t i = first_new; i < signals_.size(); ++i) {
                const engine::BorrowedSignal borrowed{signals_[i].signal};
                if (std::ranges::none_of(pattern_.stages, [&](const auto& stage) { return stage.match.matches(borrowed.view()); })) continue;
                for (const auto& mention : signals_[i].signal.entities) {
                    const bool links = mention.identifies && std::ranges::find(pattern_.link_kinds, mention.kind) != pattern_.link_kinds.end();
                    if (links && known.size() < most_entities && known.insert({mention.kind, mention.value}).second)
                        entities.push_back({mention.kind, mention.value});
                }
            }
        }
        return std::nullopt;
    }
    /// Signals of anybody that the stage may want, where it says their names.
    std::optional<ports::Failure> read_elsewhere(const engine::Stage& stage) {
        const auto names = stage.match.required_names();
        if (!names) return std::nullopt;
        ports::SignalFilter filter;
        filter.names.assign(names->begin(), names->end());
        return read_some(std::move(filter), signals_.size() + most_elsewhere);
    }
    engine::WhyNot answer(const std::set<engine::EntityKey>& denied, std::size_t unlinkable_limit) {
        std::ranges::sort(signals_, {}, [](const auto& seen) { return std::tie(seen.signal.time, seen.signal.source, seen.signal.id); });
        return engine::why_not(pattern_, {.entity = question_.entity, .signals = signals_, .unlinkable_limit = unlinkable_limit, .denied = denied});
    }
    std::size_t size() const { return signals_.size(); }
    bool is_complete() const { return complete_; }

private:
    std::optional<ports::Failure> read_some(ports::SignalFilter filter, std::size_t most) {
        filter.time = {question_.from, question_.to};
        filter.newest_first = false;
        ports::PageRequest request{500, ""};
        for (int pages = 0; pages < most_pages; ++pages) {
            const auto page = services_.signals.page(caller_, filter, request);
            if (!page) return page.error();
            for (const auto& row : page->items) {
                if (!known_.emplace(row.signal.source, row.signal.id).second) continue;
                if (signals_.size() >= most) {
                    complete_ = false;
                    return std::nullopt;
                }
                signals_.push_back({row.signal, row.behind_horizon, row.late});
                signals_.back().signal.attributes = ingest::attribute_leaves(row.attributes_json, paths_);
            }
            if (!page->next) return std::nullopt;
            request.after = *page->next;
        }
        complete_ = false;
        return std::nullopt;
    }

    const Question& question_;
    const engine::Pattern& pattern_;
    const std::set<std::string> paths_;
    const Caller& caller_;
    ports::Services& services_;
    std::vector<engine::SeenSignal> signals_;
    std::set<std::pair<std::string, std::string>> known_;
    bool complete_ = true;
};

/// Findings of the pattern about the entity that were active in the span.
ports::Outcome<std::vector<std::string>> findings_of(const Question& question, const ports::PatternVersion& version, const Caller& caller,
                                                     ports::Services& services) {
    ports::FindingFilter filter;
    filter.patterns = {version.id};
    filter.entities = {question.entity};
    filter.flighting = version.mode == engine::Mode::flighting;
    std::vector<std::string> ids;
    ports::PageRequest request{500, ""};
    for (std::size_t seen = 0; seen < most_findings;) {
        const auto page = services.findings.page(caller, filter, request);
        if (!page) return page.error();
        for (const auto& finding : page->items) {
            const auto& record = finding.record;
            if (record.start < question.to && record.end >= question.from && ids.size() < most_shown) ids.push_back(json::text_of(record.id));
        }
        seen += page->items.size();
        const bool is_past = !page->items.empty() && page->items.back().record.start < question.from - engine::Duration{std::chrono::days{31}};
        if (!page->next || is_past) break;  // newest start first, and no finding spans more than 30 days
        request.after = *page->next;
    }
    return ids;
}

/// Why there is no finding although the signals make the pattern.
std::string said_without_finding(const ports::PatternVersion& version) {
    if (version.mode == engine::Mode::off) return "the signals make the pattern, but it is off";
    return fmt::format("the signals make version {} of the pattern, but there is no finding: it was not in force for them, or the engine has not read them yet",
                       version.version);
}

}  // namespace

http::Response why_not(const http::Request& request, const Caller& caller, ports::Services& services) {
    if (auto refusal = refuse_parameters(request)) return *refusal;
    const auto body = read_body(request, BodySyntax::json_only);
    if (body.refusal) return *body.refusal;
    engine::Faults faults;
    const auto question = read_question(Place{faults}, body.value);
    if (!faults.empty()) return invalid_document(request, faults);
    const auto version = find_pattern(pattern_id(request), caller, services);
    if (!version) return failure_reply(request, version.error());
    const auto pattern = documents::stored_pattern(version->document_json, version->version, version->mode);

    const auto findings = findings_of(question, *version, caller, services);
    if (!findings) return failure_reply(request, findings.error());
    const auto settings = services.settings.read(caller);
    if (!settings) return failure_reply(request, settings.error());
    std::set<engine::EntityKey> denied;
    const auto notes = services.entities.find(caller, question.entity);
    if (!notes && notes.error().code != ports::FailureCode::not_found) return failure_reply(request, notes.error());
    if (notes && notes->notes.link == engine::LinkRule::deny) denied.insert(question.entity);

    Evidence evidence{question, pattern, caller, services};
    if (const auto failure = evidence.read()) return failure_reply(request, *failure);
    const auto limit = static_cast<std::size_t>(settings->values.unlinkable_limit);
    auto answer = evidence.answer(denied, limit);
    if (answer.reason == Reason::no_signal) {
        const auto stage = std::ranges::find(pattern.stages, answer.stage, &engine::Stage::id);
        if (const auto failure = evidence.read_elsewhere(*stage)) return failure_reply(request, *failure);
        answer = evidence.answer(denied, limit);
    }
    const bool has_matched = !findings->empty();
    if (has_matched) answer = {};
    Json reply{{"pattern", version->id},
               {"version", version->version},
               {"entity", json::to_json(question.entity)},
               {"from", json::format_time(question.from)},
               {"to", json::format_time(question.to)},
               {"matched", answer.reason == Reason::matched},
               {"findings", *findings}};
    reply.update(json::to_json(answer));
    if (has_matched) reply["detail"] = "it did match";
    else if (answer.reason == Reason::matched) reply["detail"] = said_without_finding(*version);
    else reply["detail"] = json::why_not_text(answer, pattern, question.entity);
    reply["signals"] = evidence.size();
    reply["complete"] = evidence.is_complete();
    return json_reply(200, reply);
}

}  // namespace catenary::api::handlers
