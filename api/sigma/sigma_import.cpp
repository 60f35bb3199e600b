#include "api/sigma/sigma_import.hpp"

#include "api/documents/document.hpp"
#include "api/documents/members.hpp"
#include "api/documents/pattern_document.hpp"
#include "api/documents/suggestion.hpp"
#include "api/documents/yaml.hpp"
#include "api/sigma/sigma_correlation.hpp"
#include "api/sigma/sigma_selection.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

namespace catenary::api::sigma {

using documents::in_quotes;
using documents::Place;
using engine::FaultCode;
using nlohmann::json;

std::vector<json> read_rules(std::string_view body, bool is_yaml, engine::Faults& faults, bool& is_single) {
    is_single = false;
    const documents::DocumentLimits limits;
    if (is_yaml) return documents::read_yaml_stream(body, limits, most_rules, faults);
    auto value = documents::read_document(body, documents::Syntax::json, limits);
    if (!value) {
        faults = std::move(value.faults);
        return {};
    }
    is_single = !value->is_array();
    if (is_single) return {*std::move(value)};
    if (value->empty() || value->size() > most_rules) {
        Place{faults}.fault(FaultCode::out_of_range, fmt::format("must have 1 to {} rules, not {}", most_rules, value->size()));
        return {};
    }
    return value->get<std::vector<json>>();
}

namespace {

/// "" unless it is a string.
std::string text_of(const json& rule, std::string_view member) {
    const auto* found = rule.is_object() ? documents::optional_member(rule, member) : nullptr;
    return found != nullptr && found->is_string() ? found->get<std::string>() : std::string{};
}

class Importer {
public:
    Importer(const std::vector<json>& rules, bool is_single) : rules_{rules}, is_single_{is_single} { index(); }

    SigmaImport import() {
        const auto serving = only_serving();
        for (std::size_t i = 0; i < rules_.size(); ++i) {
            if (!is_correlation(rules_[i])) {
                if (auto refused = refused_base(i)) result_.rules.push_back(std::move(*refused));
                continue;
            }
            if (!serving.contains(i)) result_.rules.push_back(translated(i));
        }
        for (auto& [rule, signal] : signals_) result_.signals.push_back(std::move(signal));
        return std::move(result_);
    }

private:
    static bool is_correlation(const json& rule) { return rule.is_object() && rule.contains("correlation"); }
    std::string pointer(std::size_t i) const { return is_single_ ? std::string{} : fmt::format("/{}", i); }
    std::string rule_name(std::size_t i) const {
        for (const auto* member : {"name", "id", "title"}) {
            if (auto text = text_of(rules_[i], member); !text.empty()) return text;
        }
        return fmt::format("rule {}", i);
    }

    /// Rules by what others may call them; the first one of a name counts, the others are refused.
    void index() {
        for (std::size_t i = 0; i < rules_.size(); ++i) {
            for (const auto* member : {"name", "id"}) {
                const auto text = text_of(rules_[i], member);
                if (!text.empty() && !by_name_.emplace(text, i).second && by_name_.at(text) != i) repeated_[i] = member;
            }
        }
    }

    /// Correlations that stand in another one, which does not ask for their own results as well.
    std::set<std::size_t> only_serving() const {
        std::set<std::size_t> serving;
        std::set<std::size_t> also_alone;
        for (std::size_t i = 0; i < rules_.size(); ++i) {
            if (!is_correlation(rules_[i])) continue;
            const auto& correlation = rules_[i]["correlation"];
            if (!correlation.is_object()) continue;
            for (const auto& reference : references_of(correlation)) {
                const auto found = by_name_.find(reference);
                if (found == by_name_.end() || !is_correlation(rules_[found->second]) || found->second == i) continue;
                (correlation.value("generate", json{}) == true ? also_alone : serving).insert(found->second);
            }
        }
        for (const auto i : also_alone) serving.erase(i);
        return serving;
    }

    /// A rule that is neither a correlation nor a selection of log records.
    std::optional<ImportedRule> refused_base(std::size_t i) const {
        ImportedRule refused{rule_name(i), pointer(i), nullptr, {}, {}};
        const Place place{refused.faults, pointer(i)};
        if (!rules_[i].is_object()) place.fault(FaultCode::wrong_type, fmt::format("a rule is an object, not {}", documents::type_name(rules_[i])));
        else if (const auto repeated = repeated_.find(i); repeated != repeated_.end())
            place.member(repeated->second).fault(FaultCode::conflict, "another rule has this name already");
        else if (!rules_[i].contains("detection")) {
            place.fault(FaultCode::missing, "a rule has a \"correlation\", or the \"detection\" of log records that one refers to");
            for (const auto& [name, unused] : rules_[i].items()) {
                if (!is_known_member(name)) place.member(name).fault(FaultCode::unknown_field, "is no member of a rule");
            }
        }
        return refused.faults.empty() ? std::nullopt : std::optional{std::move(refused)};
    }

    ImportedRule translated(std::size_t i) {
        ImportedRule imported{rule_name(i), pointer(i), nullptr, {}, {}};
        const Place place{imported.faults, pointer(i)};
        if (const auto repeated = repeated_.find(i); repeated != repeated_.end())
            place.member(repeated->second).fault(FaultCode::conflict, "another rule has this name already");
        auto document = head_of(rules_[i], place, imported.not_carried_over);
        Correlation correlation{place.member("correlation"), rules_[i]["correlation"], imported.not_carried_over,
                                [this](const std::string& reference) { return resolved(reference); }};
        correlation.write(document);
        if (!imported.faults.empty()) return imported;
        auto read = documents::pattern_from_json(document);
        for (const auto& fault : read.faults) place.fault(fault.code, fmt::format("as a pattern, {}: {}", fault.pointer, fault.detail));
        if (read) imported.document = json::parse(documents::pattern_to_json(*read).dump());
        return imported;
    }

    /// What a correlation means by a name.
    Reference resolved(const std::string& name) {
        Reference reference;
        const auto found = by_name_.find(name);
        if (found == by_name_.end()) {
            signals_.emplace(name, AwaitedSignal{name, name, false});
            reference.predicate = {{"name", name}};
            return reference;
        }
        const auto& rule = rules_[found->second];
        reference.pointer = pointer(found->second);
        if (is_correlation(rule)) {
            reference.correlation = &rule["correlation"];
            return reference;
        }
        const auto known_as = rule_name(found->second);
        if (!selects_signals(rule)) {
            signals_.emplace(known_as, AwaitedSignal{known_as, known_as, true});
            reference.predicate = {{"name", known_as}};
            return reference;
        }
        const Place place{reference.faults, reference.pointer + "/detection"};
        const auto* detection = documents::optional_member(rule, "detection");
        const auto predicate = predicate_of(place, detection == nullptr ? json{} : *detection);
        if (predicate) reference.predicate = *predicate;
        signals_.emplace(known_as, AwaitedSignal{known_as, "", true});
        return reference;
    }

    const std::vector<json>& rules_;
    const bool is_single_;
    std::map<std::string, std::size_t> by_name_;
    std::map<std::size_t, std::string> repeated_;  ///< rule, and its member that another one has
    std::map<std::string, AwaitedSignal> signals_;
    SigmaImport result_;
};

}  // namespace

SigmaImport import_rules(const std::vector<json>& rules, bool is_single) { return Importer{rules, is_single}.import(); }

}  // namespace catenary::api::sigma
