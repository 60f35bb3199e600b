#include "tests/property/decided.hpp"

#include <algorithm>

namespace catenary::property {
namespace {

using engine::Stage;
using oracle::Signal;

constexpr auto ever = std::chrono::days{14};

struct Construct {
    const char* name;
    void (*take_away)(Case&);
};

template <class Change>
void each_stage(Case& c, Change change) {
    for (auto& stage : c.pattern.stages) change(stage);
}

template <class Change>
void each_signal(Case& c, Change change) {
    for (auto& signal : c.signals) change(signal);
}

/// Nothing satisfies them any more.
void without_conditions(Case& c, engine::Absence::Where where) {
    for (std::size_t index = 0; index < c.pattern.absent.size(); ++index) {
        if (c.pattern.absent[index].where != where) continue;
        each_signal(c, [&](Signal& signal) { signal.unwanted = static_cast<std::uint8_t>(signal.unwanted & ~(1u << index)); });
    }
}

const Construct constructs[] = {
    {"order", [](Case& c) { c.pattern.order = engine::Order::any; }},
    {"order: any", [](Case& c) { c.pattern.order = engine::Order::sequence; }},
    {"link: chain",
     [](Case& c) {
         if (c.pattern.link == engine::LinkMode::chain) c.pattern.link = engine::LinkMode::same;
     }},
    {"link: same",
     [](Case& c) {
         if (c.pattern.link == engine::LinkMode::same) c.pattern.link = engine::LinkMode::chain;
     }},
    {"require.domains", [](Case& c) { c.pattern.required_domains.reset(); }},
    {"stage.within", [](Case& c) { each_stage(c, [](Stage& stage) { stage.within.reset(); }); }},
    {"equal times in order", [](Case& c) { c.pattern.strict = true; }},
    {"strict", [](Case& c) { c.pattern.strict = false; }},
    {"within", [](Case& c) { c.pattern.within = ever; }},
    {"max_span", [](Case& c) { c.pattern.max_span = ever; }},
    {"link", [](Case& c) { c.pattern.link = engine::LinkMode::none; }},
    {"second link kind", [](Case& c) { c.pattern.link_kinds.resize(std::min<std::size_t>(1, c.pattern.link_kinds.size())); }},
    {"effective_from", [](Case& c) { c.effective_from = engine::Timestamp::min(); }},
    {"optional", [](Case& c) { each_stage(c, [](Stage& stage) { stage.optional = false; }); }},
    {"repeat", [](Case& c) { each_stage(c, [](Stage& stage) { stage.repeat.reset(); }); }},
    {"repeat.within",
     [](Case& c) {
         each_stage(c, [](Stage& stage) {
             if (stage.repeat) stage.repeat->within = ever;
         });
     }},
    {"repeat.distinct",
     [](Case& c) {
         each_stage(c, [](Stage& stage) {
             if (stage.repeat) stage.repeat->distinct.reset();
         });
     }},
    {"count", [](Case& c) { each_signal(c, [](Signal& signal) { signal.count = 1; }); }},
    {"late", [](Case& c) { each_signal(c, [](Signal& signal) { signal.late = false; }); }},
    {"absent: between", [](Case& c) { without_conditions(c, engine::Absence::Where::between); }},
    {"absent: after", [](Case& c) { without_conditions(c, engine::Absence::Where::after); }},
    {"absent: before", [](Case& c) { without_conditions(c, engine::Absence::Where::before); }},
    {"absent: watermark", [](Case& c) { c.watermark = engine::Timestamp{std::chrono::days{1}}; }},
    {"several entities", [](Case& c) { each_signal(c, [](Signal& signal) { signal.entities.resize(std::min<std::size_t>(1, signal.entities.size())); }); }},
    {"several stages", [](Case& c) { each_signal(c, [](Signal& signal) { signal.stages = static_cast<engine::StageMask>(signal.stages & -signal.stages); }); }},
};

}  // namespace

void Decided::look_at(const Case& c) {
    const auto found = [](const Case& it) { return oracle::findings(it.pattern, it.effective_from, it.signals, it.watermark_after(it.signals.size())); };
    const auto all = found(c);
    counts_["a finding that waits"] += std::any_of(all.begin(), all.end(), [](const auto& finding) { return finding.waiting_until.has_value(); }) ? 1 : 0;
    counts_["a late answer"] += std::any_of(all.begin(), all.end(), [](const auto& finding) { return !finding.late_answers.empty(); }) ? 1 : 0;
    counts_["a finding"] += all.empty() ? 0 : 1;
    counts_["a finding of a chain of one stage"] += !all.empty() && c.pattern.link == engine::LinkMode::chain && c.pattern.stages.size() == 1 ? 1 : 0;
    counts_["several findings"] += all.size() > 1 ? 1 : 0;
    counts_["a finding of several entities"] += std::any_of(all.begin(), all.end(), [](const auto& finding) { return finding.principals.size() > 1; }) ? 1 : 0;
    counts_["a finding opened by a late instance"] += std::any_of(all.begin(), all.end(), [](const auto& finding) { return finding.opened_late; }) ? 1 : 0;
    const auto is_earlier = [](const Signal& left, const Signal& right) { return left.ref.time < right.ref.time; };
    counts_["a finding out of time order"] += !all.empty() && !std::is_sorted(c.signals.begin(), c.signals.end(), is_earlier) ? 1 : 0;
    for (const auto& construct : constructs) {
        Case without = c;
        construct.take_away(without);
        counts_[construct.name] += found(without) != all ? 1 : 0;
    }
}

std::string Decided::table() const {
    std::string text = "cases decided by each construct:";
    for (const auto& [name, count] : counts_) text += "\n  " + name + ": " + std::to_string(count);
    return text;
}

}  // namespace catenary::property
