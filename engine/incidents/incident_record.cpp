#include "engine/incidents/gathered.hpp"
#include "engine/incidents/wording.hpp"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

namespace catenary::engine {

void Gathered::describe_leading(const FindingRecord& leading_record) {
    described_ = leading();
    title_ = leading_record.title;
    leading_summary_ = leading_record.summary;
    leading_score_ = leading_record.score.probability;
}

void Gathered::describe(IncidentRecord& record, std::optional<std::size_t> daily_limit) {
    const bool starts = std::exchange(lists_again_, false);
    if (std::exchange(claims_changed_, false) || starts) list_claims(record);
    const auto principals = principals_.take_changed();
    const auto entities = entities_.take_changed();
    if (starts || !principals || !principals->empty() || !entities) list_entities(record);
    else change_entities(record, *entities);
    record.entity_total = static_cast<std::int64_t>(entities_.size());

    record.title = (daily_limit ? "Beyond the limit of a day: " : "") + title_;
    record.severity = severity();
    record.score = leading_score_;
    record.first_activity = first_activity();
    record.last_activity = last_activity();
    record.signal_count = static_cast<std::int64_t>(signals_.size());
    record.finding_count = static_cast<std::int64_t>(members_.size());
    record.summary = summary(record, daily_limit);
}

void Gathered::list_claims(IncidentRecord& record) const {
    std::set<std::string> tactics;
    std::set<std::string> techniques;
    std::set<std::string> domains;
    std::set<std::string> patterns;
    for (const auto& [key, use] : patterns_) {
        patterns.insert(key.first);
        tactics.insert(use.pattern->tactics.begin(), use.pattern->tactics.end());
        techniques.insert(use.pattern->techniques.begin(), use.pattern->techniques.end());
    }
    for (const auto& [id, count] : definitions_) {
        const Definition& definition = dictionary_.definitions[id];
        domains.insert(dictionary_.strings[definition.domain]);
        for (const Symbol tactic : definition.tactics) tactics.insert(dictionary_.strings[tactic]);
        for (const Symbol technique : definition.techniques) techniques.insert(dictionary_.strings[technique]);
    }
    record.tactics.assign(tactics.begin(), tactics.end());
    record.techniques.assign(techniques.begin(), techniques.end());
    record.domains.assign(domains.begin(), domains.end());
    record.patterns.assign(patterns.begin(), patterns.end());
}

void Gathered::list_entities(IncidentRecord& record) {
    // Into the strings that are there, which have room already.
    std::size_t listed = 0;
    const auto list = [&](std::vector<EntityKey>& to, EntityId id) {
        if (listed == to.size()) to.emplace_back();
        const auto& [kind, value] = dictionary_.entities[id];
        to[listed].kind = dictionary_.strings[kind];
        to[listed++].value = value;
    };
    for (const EntityId principal : principals_.first()) list(record.principals, principal);
    record.principals.resize(listed);
    listed = 0;
    for (const EntityId principal : principals_.first()) list(record.entities, principal);
    for (const EntityId entity : entities_.first()) {
        if (listed == entities_.most()) break;
        if (!principals_.contains(entity)) list(record.entities, entity);
    }
    record.entities.resize(listed);
}

/// Lists what came. What it pushed out of a full list goes.
void Gathered::change_entities(IncidentRecord& record, const std::vector<EntityId>& changed) {
    const auto principals = static_cast<std::ptrdiff_t>(record.principals.size());
    std::vector<EntityKey>& listed = record.entities;
    const auto before = [&](const EntityKey& left, const EntityKey& right) {
        if (left.kind == right.kind) return left.value < right.value;
        return std::pair{kind_rank(left.kind), std::string_view{left.kind}} < std::pair{kind_rank(right.kind), std::string_view{right.kind}};
    };
    const auto& first = entities_.first();
    const auto place_of = [&](const EntityKey& key) { return std::lower_bound(listed.begin() + principals, listed.end(), key, before); };
    for (const EntityId entity : changed) {
        if (principals_.contains(entity) || !first.contains(entity)) continue;
        EntityKey key = entity_key(entity, dictionary_);
        const auto place = place_of(key);
        if (place != listed.end() && *place == key) continue;
        listed.insert(place, std::move(key));
        if (listed.size() > entities_.most()) listed.pop_back();
    }
}

std::string Gathered::summary(const IncidentRecord& record, std::optional<std::size_t> daily_limit) const {
    std::string text = leading_summary_;
    if (record.finding_count == 1 && !daily_limit) return text;
    text += " This is the strongest of " + said_count(record.finding_count, "finding");
    if (daily_limit) {
        text += " that are listed together because " + said_count(static_cast<std::int64_t>(*daily_limit), "incident");
        text += " of their pattern began earlier on the same day; they need not have more in common. They are from ";
    } else {
        text += " that share evidence, from ";
    }
    text += said_count(static_cast<std::int64_t>(record.patterns.size()), "pattern") + " (" + said_list(record.patterns, 5) + "): ";
    text += said_count(record.signal_count, "signal") + " in " + said_list(record.domains, 8) + ", naming ";
    text += std::to_string(record.entity_total) + (record.entity_total == 1 ? " entity" : " entities");
    text += ", from " + said_time(record.first_activity) + " to " + said_time(record.last_activity) + ".";
    return text;
}

}  // namespace catenary::engine
