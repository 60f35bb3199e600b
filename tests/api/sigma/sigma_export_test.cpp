#include "api/sigma/sigma_export.hpp"
#include "api/catalogue/shipped_patterns.hpp"
#include "api/documents/document.hpp"
#include "api/documents/pattern_document.hpp"
#include "api/sigma/sigma_import.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace catenary;
using nlohmann::json;

namespace {

api::documents::PatternDocument document_of(const std::string& yaml) {
    const auto value = api::documents::read_document(yaml, api::documents::Syntax::yaml);
    REQUIRE(value.value.has_value());
    auto document = api::documents::pattern_from_json(*value);
    for (const auto& fault : document.faults) FAIL(fault.pointer << " " << fault.detail);
    return std::move(*document);
}

/// The normal form without what Sigma does not carry; stages lose their own names' place in others, so they are numbered.
json comparable(json document) {
    document.erase("examples");
    int number = 0;
    for (auto& stage : document["stages"]) stage["id"] = ++number;
    if (document["stages"].size() == 1) {  // what one stage may take is said once
        document["within"] = document["stages"][0]["repeat"]["within"];
        document.erase("order");
    }
    return document;
}

json through_sigma(const std::string& text) {
    engine::Faults faults;
    bool is_single = false;
    const auto rules = api::sigma::read_rules(text, true, faults, is_single);
    REQUIRE(faults.empty());
    const auto import = api::sigma::import_rules(rules, is_single);
    REQUIRE(import.rules.size() == 1);
    for (const auto& fault : import.rules[0].faults) FAIL(fault.pointer << " " << fault.detail);
    return import.rules[0].document;
}

}  // namespace

TEST_CASE("what is exported is read back as the same pattern, for all that ships and can be said in Sigma") {
    std::size_t exported = 0, refused = 0;
    for (const auto& shipped : api::catalogue::shipped_patterns()) {
        CAPTURE(shipped.pattern->id);
        auto document = api::documents::pattern_from_json(json::parse(shipped.document_json));
        REQUIRE(document.value.has_value());
        const auto rules = api::sigma::export_pattern(*document);
        CHECK(rules.text.empty() != rules.faults.empty());
        if (!rules.faults.empty()) {
            ++refused;
            continue;
        }
        ++exported;
        CAPTURE(rules.text);
        CHECK(comparable(through_sigma(rules.text)) == comparable(json::parse(shipped.document_json)));
    }
    MESSAGE(exported << " of " << exported + refused << " shipped patterns can be said in Sigma");
    CHECK(exported >= 20);
}

TEST_CASE("operators, counts in sequences and counts of values come back") {
    const auto document = document_of(R"(id: p
title: P
severity: low
order: sequence
within: 3h
link: {same: [account]}
stages:
  - {id: a, match: {name: {prefix: mass_}, confidence: {gt: 0.2, lte: 0.9}, attributes.bytes: {gte: 5}}, repeat: {at_least: 3, within: 1h, by: account, distinct: entities.ip}}
  - {id: b, match: {domain: [data, email], entities.ip: {cidr: 10.0.0.0/8}, attributes.command: {matches: "^x"}, attributes.ticket: {exists: false}}}
)");
    const auto rules = api::sigma::export_pattern(document);
    for (const auto& fault : rules.faults) FAIL(fault.pointer << " " << fault.detail);
    CHECK(comparable(through_sigma(rules.text)) == comparable(json::parse(api::documents::pattern_to_json(document).dump())));
}

TEST_CASE("what Sigma has no word for is named by its place in the document, all at once") {
    const auto rules = api::sigma::export_pattern(document_of(R"(id: p
title: P
within: 3h
max_span: 2d
strict: true
require: {domains: 2}
absent: [{match: {name: x}, after: a, within: 1h}]
link: {chain: [account, host]}
stages:
  - {id: a, match: {name: {not: x}}}
  - {id: b, match: {any_of: [{name: y}, {name: z}]}, optional: true, within: 1h}
  - {id: c, match: {name: "a*"}}
)"));
    CHECK(rules.text.empty());
    std::vector<std::string> pointers;
    for (const auto& fault : rules.faults) pointers.push_back(fault.pointer);
    CHECK(pointers == std::vector<std::string>{"/link/chain", "/strict", "/require", "/absent", "/max_span", "/stages/1/optional", "/stages/1/within",
                                               "/stages/0/match/name/not", "/stages/1/match/any_of", "/stages/2/match/name"});
    CHECK(api::sigma::export_pattern(document_of("id: p\ntitle: P\nwithin: 1h\nstages: [{id: a, match: {name: x}}]\n")).faults.size() == 2);
    CHECK(api::sigma::export_pattern(document_of("id: p\ntitle: P\nwithin: 1h\nlink: {same: [account, ip]}\nstages: [{id: a, match: {name: x}}, {id: b, match: "
                                                 "{name: y}}]\n"))
              .faults.front()
              .pointer == "/link/same");
}
