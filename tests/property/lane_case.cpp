#include "tests/property/lane_case.hpp"

#include <algorithm>

namespace catenary::property {
namespace {

engine::Predicate having(const std::string& path, std::size_t number) {
    const auto field = engine::Field::parse("attributes." + path).value();
    return engine::Predicate::test({field, engine::FieldTest::Operator::any_of, {std::to_string(number)}}).value();
}

}  // namespace

void make_postable(engine::Pattern& pattern) {
    for (std::size_t stage = 0; stage < pattern.stages.size(); ++stage) {
        auto& declared = pattern.stages[stage];
        declared.match = having("stage", stage);
        if (declared.repeat && declared.repeat->distinct) declared.repeat->distinct = engine::Field::parse("attributes.value" + std::to_string(stage)).value();
    }
    for (std::size_t i = 0; i < pattern.absent.size(); ++i) pattern.absent[i].match = having("unwanted", i);
}

engine::Signal posted(const oracle::Signal& signal, const std::vector<oracle::Mention>& named) {
    engine::Signal made;
    made.source = signal.ref.source;
    made.id = signal.ref.id;
    made.time = signal.ref.time;
    made.domain = signal.domain;
    made.name = "n";
    made.count = signal.count;
    for (const auto& mention : named) made.entities.push_back({mention.kind, std::to_string(mention.number), "", mention.identifies});
    for (std::size_t stage = 0; stage < signal.distinct.size(); ++stage) {
        if ((signal.stages >> stage & 1u) != 0) made.attributes.push_back({"stage", std::to_string(stage)});
        for (const auto& value : signal.distinct[stage]) made.attributes.push_back({"value" + std::to_string(stage), value});
    }
    for (std::size_t i = 0; i < engine::Absence::most; ++i) {
        if ((signal.unwanted >> i & 1u) != 0) made.attributes.push_back({"unwanted", std::to_string(i)});
    }
    return made;
}

engine::Signal posted(const oracle::Signal& signal) {
    std::vector<oracle::Mention> named;
    for (const auto& entity : signal.entities) named.push_back({entity.kind, entity.number, true});
    return posted(signal, named);
}

std::vector<LaneFinding> stored_findings(test::LaneStory& story, const engine::Pattern& pattern) {
    std::vector<LaneFinding> findings;
    for (const auto& record : story.stored().live_findings()) {
        LaneFinding finding{record.start, record.end, {}, {}};
        for (const auto& principal : record.principals) finding.principals.insert(static_cast<std::uint32_t>(std::stoul(principal.value)));
        for (const auto& [ref, stage] : story.stored().evidence[record.id]) {
            const auto is_it = [&id = stage](const engine::Stage& declared) { return declared.id == id; };
            finding.evidence[ref] = static_cast<std::size_t>(std::find_if(pattern.stages.begin(), pattern.stages.end(), is_it) - pattern.stages.begin());
        }
        findings.push_back(std::move(finding));
    }
    std::sort(findings.begin(), findings.end());
    return findings;
}

std::vector<LaneFinding> as_stored(const std::vector<oracle::Finding>& findings) {
    std::vector<LaneFinding> same;
    for (const auto& finding : findings) same.push_back({finding.start, finding.end, finding.principals, finding.evidence});
    std::sort(same.begin(), same.end());
    return same;
}

}  // namespace catenary::property
