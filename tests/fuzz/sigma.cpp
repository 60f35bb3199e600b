// Sigma rules in both syntaxes: a correlation becomes a valid pattern or is refused with reasons, and a pattern that can be said in Sigma comes back from it the same.
#include "api/documents/document.hpp"
#include "api/documents/pattern_document.hpp"
#include "api/sigma/sigma_export.hpp"
#include "api/sigma/sigma_import.hpp"
#include "tests/fuzz/invariant.hpp"

#include <nlohmann/json.hpp>

#include <string>

using namespace catenary;
using api::sigma::SigmaImport;
using fuzz::require;

namespace {

void check_place(const std::string& pointer, const std::string& detail) {
    require(!detail.empty() && (pointer.empty() || pointer[0] == '/'), "a fault and a loss say where");
}

/// The normal form without what Sigma has no word for: the stages' own names, and what says one thing twice where there is one stage.
nlohmann::ordered_json comparable(const api::documents::PatternDocument& document) {
    auto normal = api::documents::pattern_to_json(document);
    int number = 0;
    for (auto& stage : normal["stages"]) stage["id"] = ++number;
    if (number != 1) return normal;
    if (normal["stages"][0].contains("repeat")) normal["within"] = normal["stages"][0]["repeat"]["within"];
    normal.erase("order");
    return normal;
}

void check_way_back(const api::documents::PatternDocument& document) {
    const auto exported = api::sigma::export_pattern(document);
    require(exported.text.empty() == !exported.faults.empty(), "a pattern is exported or has faults");
    for (const auto& fault : exported.faults) check_place(fault.pointer, fault.detail);
    if (exported.text.empty() || exported.text.size() > api::documents::DocumentLimits{}.bytes) return;
    engine::Faults faults;
    bool is_single = false;
    const auto rules = api::sigma::read_rules(exported.text, true, faults, is_single);
    require(faults.empty(), "what was written by us can be read");
    const auto import = api::sigma::import_rules(rules, is_single);
    require(import.rules.size() == 1 && import.rules[0].faults.empty(), "a pattern comes back as one");
    const auto again = api::documents::pattern_from_json(import.rules[0].document);
    require(again.value.has_value(), "and is a pattern");
    require(comparable(*again) == comparable(document), "and is the same");
}

void check(const SigmaImport& import) {
    for (const auto& rule : import.rules) {
        require(rule.document.is_null() == !rule.faults.empty(), "a rule is a pattern or has faults");
        for (const auto& fault : rule.faults) check_place(fault.pointer, fault.detail);
        for (const auto& loss : rule.not_carried_over) check_place(loss.pointer, loss.detail);
        if (rule.document.is_null()) continue;
        const auto document = api::documents::pattern_from_json(rule.document);
        require(document.value.has_value() && document.faults.empty(), "an imported document is a pattern");
        require(engine::Pattern::check(document->pattern).empty(), "an imported pattern has no fault");
        check_way_back(*document);
    }
    for (const auto& signal : import.signals) require(!signal.rule.empty(), "an awaited signal has a rule");
}

void read(std::string_view text, bool is_yaml) {
    engine::Faults faults;
    bool is_single = false;
    const auto rules = api::sigma::read_rules(text, is_yaml, faults, is_single);
    for (const auto& fault : faults) check_place(fault.pointer, fault.detail);
    require(rules.size() <= api::sigma::most_rules, "rules are limited");
    require(faults.empty() || rules.empty(), "what has faults is no text of rules");
    require(!is_single || rules.size() == 1, "a single rule is one");
    check(api::sigma::import_rules(rules, is_single));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = fuzz::text_of(data, size);
    read(text, true);
    read(text, false);
    return 0;
}
