#include "engine/incidents/finding.hpp"
#include "engine/incidents/wording.hpp"

#include <algorithm>

namespace catenary::engine {

namespace {

/// "unfamiliar_location_signin (identity, reported by entra_id)".
std::string said_signal(SignalHandle signal, const HeldSignals& held, const Dictionary& dictionary) {
    const SignalWindow& window = held.window();
    const std::string& domain = dictionary.strings[window.domain(signal)];
    return dictionary.strings[window.name(signal)] + " (" + domain + ", reported by " + std::string{window.source(signal)} + ")";
}

std::string said_principals(const FindingRecord& record, std::size_t total) {
    std::vector<std::string> words;
    for (const EntityKey& principal : record.principals) words.push_back(principal.kind + " " + principal.value);
    words.resize(std::max(words.size(), total));  // beyond the listed ones only the number is said
    return said_list(words, 3);
}

}  // namespace

std::string finding_summary(const FindingRecord& record, const Finding& finding, const HeldSignals& held, const Dictionary& dictionary) {
    std::string text = finding.pattern->title;
    if (!record.principals.empty()) text += " on " + said_principals(record, finding.principals.size());
    text += ": ";
    const auto& tallies = finding.evidence.stages();
    bool is_first = true;
    for (std::size_t i = 0; i < record.stages.size(); ++i) {
        const StageSummary& stage = record.stages[i];
        if (!stage.first) continue;
        if (!is_first) text += finding.pattern->order == Order::sequence ? "; then " : "; and ";
        text += said_signal(*tallies[i].first, held, dictionary);
        if (stage.count > 1) text += " and " + said_count(stage.count - 1, "more signal") + " of stage " + stage.id;
        if (stage.after) {
            text += *stage.after == Duration::zero() ? std::string{" at the same instant"} : " " + said_span(*stage.after) + " later";
        } else {
            text += (stage.count > 1 ? " from " : " at ") + said_time(stage.first->time);
        }
        is_first = false;
    }
    text += ". " + said_count(record.evidence_total, "signal");
    text += " in " + said_count(static_cast<std::int64_t>(record.domains.size()), "domain");
    if (record.end > record.start) text += " within " + said_span(record.end - record.start);
    text += "; score " + said_number(record.score.probability, 3) + ".";
    if (record.waiting_until) text += " It waits for the watermark to reach " + said_time(*record.waiting_until) + ": until then it may still come to nothing.";
    if (!record.late_answers.empty()) {
        const LateAnswerRecord& first = record.late_answers.front();
        text += " What must be absent (" + first.absence + ") came at " + said_time(first.signal.time) + ", but too late to count.";
    }
    if (finding.continuation > 0) text += " It continues a finding whose incident was closed before the latest evidence came.";
    return text;
}

}  // namespace catenary::engine
