#include "engine/incidents/finding.hpp"
#include "engine/incidents/wording.hpp"

#include <algorithm>
#include <cmath>
#include <set>

namespace catenary::engine {

namespace {

constexpr std::size_t most_principals = 500;

std::vector<std::string> as_vector(const std::set<std::string>& words) { return {words.begin(), words.end()}; }

std::vector<StageSummary> stage_summaries(const Finding& finding, const std::vector<EntityKey>& principals, const HeldSignals& held) {
    const Pattern& pattern = *finding.pattern;
    const auto& tallies = finding.evidence.stages();
    std::vector<StageSummary> stages;
    std::optional<Timestamp> before;
    for (std::size_t i = 0; i < pattern.stages.size(); ++i) {
        const Stage& declared = pattern.stages[i];
        StageSummary& stage = stages.emplace_back();
        stage.id = declared.id;
        stage.because = declared.match.describe();
        if (i >= tallies.size() || !tallies[i].first) continue;
        stage.count = tallies[i].count;
        stage.first = held.window().ref(*tallies[i].first);
        if (pattern.link != LinkMode::none && !principals.empty()) stage.linked_by = principals.front();
        if (before && stage.first->time >= *before) {  // under `order: any` a later stage may have come first
            stage.after = stage.first->time - *before;
            stage.limit = declared.within ? std::min(*declared.within, pattern.within) : pattern.within;
        }
        before = stage.first->time;
    }
    return stages;
}

}  // namespace

std::string describe(const Absence& absence, const Pattern& pattern) {
    std::string text;
    for (const std::string& word : absence.match.describe()) text += (text.empty() ? "" : " and ") + word;
    if (text.empty()) text = "any signal";
    const std::string& stage = pattern.stages[absence.stage].id;
    switch (absence.where) {
        case Absence::Where::between: return text + " between " + stage + " and " + pattern.stages[absence.until].id;
        case Absence::Where::after: return text + " within " + said_span(absence.within) + " after " + stage;
        case Absence::Where::before: break;
    }
    return text + " within " + said_span(absence.within) + " before " + stage;
}

EntityKey entity_key(EntityId entity, const Dictionary& dictionary) {
    const auto& [kind, value] = dictionary.entities[entity];
    return {dictionary.strings[kind], value};
}

std::vector<EntityKey> listed_principals(const Finding& finding, const Dictionary& dictionary) {
    std::vector<EntityId> sorted(std::min(finding.principals.size(), most_principals));
    std::partial_sort_copy(finding.principals.begin(), finding.principals.end(), sorted.begin(), sorted.end(), EntityOrder{&dictionary});
    std::vector<EntityKey> keys;
    keys.reserve(sorted.size());
    for (const EntityId entity : sorted) keys.push_back(entity_key(entity, dictionary));
    return keys;
}

Score score_of(const Finding& finding, const HeldSignals& held, const ScoringParameters& parameters) {
    std::vector<ScoreInput> inputs;
    const auto& tallies = finding.evidence.stages();
    for (std::size_t i = 0; i < tallies.size(); ++i) {
        if (!tallies[i].heaviest) continue;
        const SignalHandle heaviest = *tallies[i].heaviest;
        // The window keeps floats: what a sender wrote with up to seven decimals reads back as written.
        const double confidence = std::round(static_cast<double>(held.window()[heaviest].confidence) * 1e7) / 1e7;
        inputs.push_back({finding.pattern->stages[i].id, std::string{held.window().source(heaviest)}, confidence, weight_bits(confidence, parameters)});
    }
    return score(std::move(inputs), finding.evidence.distinct_domains(), finding.evidence.phase_rises(), parameters);
}

FindingRecord finding_record(const Finding& finding, const Score& score, const HeldSignals& held, const Dictionary& dictionary) {
    const Pattern& pattern = *finding.pattern;
    std::set<std::string> tactics{pattern.tactics.begin(), pattern.tactics.end()};
    std::set<std::string> techniques{pattern.techniques.begin(), pattern.techniques.end()};
    std::set<std::string> domains;
    for (const DefinitionId id : finding.evidence.definitions()) {
        const Definition& definition = dictionary.definitions[id];
        domains.insert(dictionary.strings[definition.domain]);
        for (const Symbol tactic : definition.tactics) tactics.insert(dictionary.strings[tactic]);
        for (const Symbol technique : definition.techniques) techniques.insert(dictionary.strings[technique]);
    }
    FindingRecord record;
    record.id = finding.id;
    record.pattern = pattern.id;
    record.version = pattern.version;
    record.mode = finding.mode;
    record.severity = pattern.severity;
    record.tactics = as_vector(tactics);
    record.techniques = as_vector(techniques);
    record.domains = as_vector(domains);
    record.principals = listed_principals(finding, dictionary);
    record.title = record.principals.empty() ? pattern.title : pattern.title + " — " + record.principals.front().value;
    record.start = finding.start;
    record.end = finding.end;
    record.score = score;
    record.stages = stage_summaries(finding, record.principals, held);
    record.evidence_total = static_cast<std::int64_t>(finding.evidence.size());
    record.incident = finding.incident;
    if (finding.waiting_until) record.state = FindingState::waiting;
    record.waiting_until = finding.waiting_until;
    for (const Absence& absence : pattern.absent) record.absences.push_back(describe(absence, pattern));
    for (const auto& [signal, condition] : finding.late_answers) record.late_answers.push_back({signal, record.absences.at(condition)});
    record.more_late_answers = finding.more_late_answers;
    record.summary = finding_summary(record, finding, held, dictionary);
    return record;
}

}  // namespace catenary::engine
