#include "tests/property/matcher_run.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace catenary::property {
namespace {

using engine::FindingDelta;

const std::string identity = "1/p/1";

std::uint32_t symbol_of(const std::string& word) {
    constexpr std::array words{"account", "host", "ip", "edr", "mail", "identity", "email", "endpoint"};
    return static_cast<std::uint32_t>(std::find(words.begin(), words.end(), word) - words.begin());
}

std::vector<engine::Symbol> symbols_of(const std::vector<std::string>& words) {
    std::vector<engine::Symbol> symbols;
    for (const auto& word : words) symbols.emplace_back(symbol_of(word));
    return symbols;
}

std::string second_of(engine::Timestamp time) { return std::to_string(engine::to_micros(time) / 1'000'000) + "s"; }

template <class Finding>
std::string text_of(const Finding& finding) {
    std::string text = "  " + second_of(finding.start) + ".." + second_of(finding.end) + " by";
    for (const auto entity : finding.principals) text += " " + std::to_string(entity);
    text += ":";
    for (const auto& [ref, stage] : finding.evidence) text += " " + ref.source + "/" + ref.id + "@" + std::to_string(stage);
    if (finding.waiting_until) text += ", waits until " + std::to_string(engine::to_micros(*finding.waiting_until)) + " us";
    for (const auto& [ref, condition] : finding.late_answers) text += ", late " + ref.source + "/" + ref.id + " of " + std::to_string(condition);
    return text;
}

SeenFinding seen_as(const oracle::Finding& finding) {
    return {finding.start, finding.end, finding.principals, finding.evidence, finding.waiting_until, finding.late_answers, finding.more_late_answers};
}

std::optional<std::string> difference(const Case& c, const std::vector<oracle::Finding>& expected, const SeenFindings& seen) {
    std::vector<SeenFinding> wanted;
    std::vector<SeenFinding> got;
    for (const auto& finding : expected) wanted.push_back(seen_as(finding));
    for (const auto& [id, finding] : seen) got.push_back(finding);
    std::sort(wanted.begin(), wanted.end());
    std::sort(got.begin(), got.end());
    if (wanted != got) {
        std::string text = "expected:";
        for (const auto& finding : wanted) text += "\n" + text_of(finding);
        text += "\nfound:";
        for (const auto& finding : got) text += "\n" + text_of(finding);
        return text;
    }
    for (const auto& finding : expected) {
        if (finding.opened_late) continue;
        // What waits may have the anchor of what holds, which has the name then, also when it is kept back for its domains.
        const auto has_its_name = [&](const auto& other) { return !other.waiting_until && !other.opened_late && other.anchor == finding.anchor; };
        if (finding.waiting_until && (c.pattern.required_domains || std::any_of(expected.begin(), expected.end(), has_its_name))) continue;
        const auto it = seen.find(reference_id(finding.anchor));
        if (it == seen.end() || it->second != seen_as(finding)) {
            return "the id of\n" + text_of(finding) + "\nis not made of " + finding.anchor.source + "/" + finding.anchor.id;
        }
    }
    return std::nullopt;
}

}  // namespace

std::string as_text(const SeenFindings& findings) {
    std::string text;
    for (const auto& [id, finding] : findings) text += text_of(finding) + "\n";
    return text;
}

MatcherRun::MatcherRun(const engine::Pattern& pattern, engine::Timestamp effective_from)
    : link_kinds_{pattern.link_kinds},
      matcher_{std::make_shared<const engine::Pattern>(pattern), identity, effective_from, window_, symbols_of(pattern.link_kinds)} {}

void MatcherRun::add(const oracle::Signal& signal) {
    engine::SignalView view;
    view.source = signal.ref.source;
    view.id = signal.ref.id;
    view.time = signal.ref.time;
    view.count = signal.count;
    std::vector<engine::LinkEntity> mentioned;
    std::vector<engine::EntityId> links;
    for (const auto& entity : signal.entities) {
        mentioned.push_back({engine::EntityId{entity.number}, engine::Symbol{symbol_of(entity.kind)}});
        if (std::find(link_kinds_.begin(), link_kinds_.end(), entity.kind) != link_kinds_.end()) links.push_back(engine::EntityId{entity.number});
    }
    std::sort(mentioned.begin(), mentioned.end());
    std::sort(links.begin(), links.end());
    std::vector<engine::EntityId> mentions;
    for (const auto& mention : mentioned) mentions.push_back(mention.entity);
    // A signal that names nobody meets no condition of a pattern that links.
    const unsigned unwanted = mentions.empty() && !link_kinds_.empty() ? 0u : unsigned{signal.unwanted};
    const auto satisfied = static_cast<engine::StageMask>(signal.stages | unwanted << engine::first_absence);
    if (satisfied == 0) return;
    const engine::Symbol source{symbol_of(signal.ref.source)};
    const engine::Symbol domain{symbol_of(signal.domain)};
    const engine::Origin origin{16 * source.value() + domain.value()};
    const auto handle = window_.add(view, signal.late, origin, source, domain, engine::Symbol{}, mentioned);
    refs_.emplace(handle.value(), signal.ref);
    matcher_.add(handle, satisfied, links, signal.distinct, mentions);
}

void MatcherRun::expire(engine::Timestamp horizon) {
    settle();  // what the deltas name must still be in the window
    for (const auto handle : matcher_.expire(horizon)) {
        if (refs_.erase(handle.value()) == 0) {
            breaches_.emplace_back("a signal was given up that is not held");
            continue;
        }
        window_.release(handle);
    }
}

const SeenFindings& MatcherRun::settle() {
    const auto deltas = matcher_.take_deltas();
    for (const auto& delta : deltas) apply(delta);
    for (const auto& delta : deltas) {
        if (delta.superseded_by && !findings_.contains(*delta.superseded_by)) breaches_.emplace_back("superseded by a finding that is none");
    }
    return findings_;
}

void MatcherRun::apply(const FindingDelta& delta) {
    const bool is_known = findings_.contains(delta.id);
    if (is_known == (delta.kind == FindingDelta::Kind::opened)) {
        breaches_.emplace_back(is_known ? "a finding was opened twice" : "a change of a finding that was never opened or is superseded");
        return;
    }
    if (delta.kind == FindingDelta::Kind::superseded) {
        findings_.erase(delta.id);
        return;
    }
    auto& finding = findings_[delta.id];
    if (delta.kind == FindingDelta::Kind::revised) finding.evidence.clear();
    finding.start = delta.start;
    finding.end = delta.end;
    finding.waiting_until = delta.waiting_until;
    finding.late_answers.clear();
    for (const auto& answer : delta.late_answers) finding.late_answers.emplace(refs_.at(answer.signal.value()), answer.condition);
    finding.more_late_answers = delta.more_late_answers;
    finding.principals.clear();
    for (const auto entity : delta.principals) finding.principals.insert(entity.value());
    if (!std::is_sorted(delta.principals.begin(), delta.principals.end())) breaches_.emplace_back("principals are not sorted");
    for (const auto& evidence : delta.added) {
        const auto [known, is_new] = finding.evidence.emplace(refs_.at(evidence.signal.value()), evidence.stage);
        if (!is_new && known->second <= evidence.stage) breaches_.emplace_back("evidence was added again for no earlier stage");
        known->second = evidence.stage;
    }
}

engine::FindingId reference_id(const engine::SignalRef& anchor) {
    engine::Pattern pattern;
    pattern.id = "p";
    pattern.within = std::chrono::seconds{1};
    pattern.stages.push_back({"only", {}, false, {}, {}});
    MatcherRun run{pattern, engine::Timestamp::min()};
    oracle::Signal signal;
    signal.ref = anchor;
    signal.stages = 1;
    signal.distinct.resize(1);
    run.add(signal);
    const auto& findings = run.settle();
    return findings.empty() ? engine::FindingId{} : findings.begin()->first;
}

std::optional<std::string> disagreement(const Case& c) {
    MatcherRun step_by_step{c.pattern, c.effective_from};
    MatcherRun at_once{c.pattern, c.effective_from};
    std::vector<oracle::Signal> arrived;
    for (const auto& signal : c.signals) {
        step_by_step.add(signal);
        at_once.add(signal);
        arrived.push_back(signal);
        const auto watermark = c.watermark_after(arrived.size());
        step_by_step.move_watermark(watermark);
        at_once.move_watermark(watermark);
        const auto& seen = step_by_step.settle();
        if (arrived.size() != c.signals.size() / 2 && arrived.size() != c.signals.size()) continue;
        const auto expected = oracle::findings(c.pattern, c.effective_from, arrived, watermark);
        if (auto text = difference(c, expected, seen)) return "after " + std::to_string(arrived.size()) + " signals, deltas taken one by one\n" + *text;
        if (arrived.size() != c.signals.size()) continue;
        if (auto text = difference(c, expected, at_once.settle())) return "deltas taken at once\n" + *text;
        if (at_once.settle() != seen) return "ids depend on when deltas are taken";
    }
    for (const auto* run : {&step_by_step, &at_once}) {
        if (!run->breaches().empty()) return "deltas contradict each other: " + run->breaches().front();
    }
    return std::nullopt;
}

}  // namespace catenary::property
