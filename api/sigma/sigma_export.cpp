#include "api/sigma/sigma_export.hpp"

#include "api/documents/yaml_text.hpp"
#include "api/json/time_json.hpp"
#include "api/sigma/sigma_selection.hpp"
#include "api/sigma/sigma_words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

namespace catenary::api::sigma {

using documents::Place;
using engine::FaultCode;
using engine::Pattern;
using Json = nlohmann::ordered_json;

namespace {

class Exporter {
public:
    Exporter(const documents::PatternDocument& document, engine::Faults& faults) : document_{document}, pattern_{document.pattern}, root_{faults} {}

    std::vector<Json> rules() {
        refuse_what_has_no_word();
        for (std::size_t i = 0; i < pattern_.stages.size(); ++i) add_selection(i);
        if (pattern_.stages.size() == 1) add_count(0, head());
        else add_sequence();
        return std::move(rules_);
    }

private:
    void no_word(const Place& at, std::string_view why) const { at.fault(FaultCode::unsupported, std::string{why}); }

    void refuse_what_has_no_word() const {
        if (pattern_.link == engine::LinkMode::chain)
            no_word(root_.member("link").member("chain"), "Sigma joins by fields that are equal throughout, not from pair to pair");
        if (pattern_.link == engine::LinkMode::none) no_word(root_.member("stages"), "a single selection is a rule of its own, not a correlation");
        if (pattern_.link == engine::LinkMode::same && pattern_.link_kinds.size() > 1)
            no_word(root_.member("link").member("same"), "Sigma asks that every field of group-by is equal, this pattern that one of them is");
        if (pattern_.strict) no_word(root_.member("strict"), "Sigma does not tell equal times apart");
        if (pattern_.overlap) no_word(root_.member("overlap"), "Sigma has no word for it");
        if (pattern_.required_domains) no_word(root_.member("require"), "Sigma does not count domains");
        if (!pattern_.absent.empty()) no_word(root_.member("absent"), "Sigma has no word for what must not happen");
        if (pattern_.max_span != Pattern{}.max_span) no_word(root_.member("max_span"), "Sigma has no word for it");
        for (std::size_t i = 0; i < pattern_.stages.size(); ++i) {
            const auto at = root_.member("stages").item(i);
            const auto& stage = pattern_.stages[i];
            if (stage.optional) no_word(at.member("optional"), "Sigma asks for every rule");
            if (stage.within) no_word(at.member("within"), "Sigma limits the whole, not single gaps");
            if (pattern_.stages.size() == 1 && !stage.repeat) no_word(at, "a single selection is a rule of its own, not a correlation");
        }
    }

    std::string name_of(std::size_t stage) const { return pattern_.id + "." + pattern_.stages[stage].id; }
    std::string count_name_of(std::size_t stage) const { return name_of(stage) + ".count"; }

    void add_selection(std::size_t stage) {
        const auto detection = detection_of(root_.member("stages").item(stage).member("match"), document_.matches[stage]);
        if (!detection) return;
        rules_.push_back({{"title", fmt::format("{}: {}", pattern_.title, pattern_.stages[stage].id)},
                          {"name", name_of(stage)},
                          {"logsource", {{"product", own_product}, {"service", "signals"}}},
                          {"detection", *detection}});
    }

    Json head() const {
        Json rule{{"title", pattern_.title}, {"name", pattern_.id}};
        if (!pattern_.description.empty()) rule["description"] = pattern_.description;
        rule["level"] = engine::to_string(pattern_.severity);
        auto tags = Json::array();
        for (const auto& tactic : pattern_.tactics) tags.push_back(tag_of_attack(tactic));
        for (const auto& technique : pattern_.techniques) tags.push_back(tag_of_attack(technique));
        if (!tags.empty()) rule["tags"] = std::move(tags);
        return rule;
    }

    /// The rule that counts a stage's signals, below `rule`.
    void add_count(std::size_t stage, Json rule) {
        const auto& repeat = pattern_.stages[stage].repeat;
        if (!repeat) return;
        Json condition{{"gte", repeat->at_least}};
        if (repeat->distinct) {
            auto field = repeat->distinct->written();
            if (field.starts_with("entities.")) field.erase(0, 9);
            condition["field"] = std::move(field);
        }
        rule["correlation"] = {{"type", repeat->distinct ? "value_count" : "event_count"},
                               {"rules", {name_of(stage)}},
                               {"group-by", {repeat->by}},
                               {"timespan", json::format_span(repeat->within)},
                               {"condition", std::move(condition)}};
        rules_.push_back(std::move(rule));
    }

    void add_sequence() {
        auto names = Json::array();
        auto reach = engine::Duration{};
        const bool ordered = pattern_.order == engine::Order::sequence;
        for (std::size_t i = 0; i < pattern_.stages.size(); ++i) {
            const auto& repeat = pattern_.stages[i].repeat;
            names.push_back(repeat ? count_name_of(i) : name_of(i));
            if (!repeat) continue;
            add_count(i, {{"title", fmt::format("{}: {}, counted", pattern_.title, pattern_.stages[i].id)}, {"name", count_name_of(i)}});
            if (!ordered || i == 0) reach = std::max(reach, repeat->within);
        }
        // A count takes part with its last event there and with its first one here.
        if (reach >= pattern_.within) no_word(root_.member("within"), "leaves nothing beside the time that a repeated stage may take");
        auto rule = head();
        rule["correlation"] = {{"type", ordered ? "temporal_ordered" : "temporal"},
                               {"rules", std::move(names)},
                               {"group-by", {pattern_.link_kinds.empty() ? "" : pattern_.link_kinds.front()}},
                               {"timespan", json::format_span(pattern_.within - reach)}};
        rules_.push_back(std::move(rule));
    }

    const documents::PatternDocument& document_;
    const Pattern& pattern_;
    const Place root_;
    std::vector<Json> rules_;
};

}  // namespace

SigmaText export_pattern(const documents::PatternDocument& document) {
    SigmaText out;
    const auto rules = Exporter{document, out.faults}.rules();
    if (!out.faults.empty()) return out;
    for (const auto& rule : rules) out.text += (out.text.empty() ? "" : "---\n") + documents::to_yaml(rule);
    return out;
}

}  // namespace catenary::api::sigma
