#include "api/catalogue/shipped_patterns.hpp"
#include "tests/support/shared_material.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

using namespace catenary;
using nlohmann::json;
using Tactics = std::vector<std::string>;

namespace {

std::filesystem::path flow_file() { return tests::shared_material() / "datasets" / "attack-flow-chains" / "flows.json"; }
bool no_flows() { return tests::shared_material().empty() || !std::filesystem::exists(flow_file()); }

/// Tactics of signals whose examples do not say them.
const std::map<std::string, std::string> tactic_of_older{
    {"suspicious_inbox_rule", "TA0005"},  {"mass_download", "TA0009"},
    {"access_key_created", "TA0003"},     {"cloud_logging_disabled", "TA0005"},
    {"storage_made_public", "TA0010"},    {"security_tool_disabled", "TA0005"},
    {"shadow_copy_deletion", "TA0040"},   {"mass_file_encryption", "TA0040"},
    {"ldap_enumeration", "TA0007"},       {"kerberoasting", "TA0006"},
    {"lateral_movement_smb", "TA0008"},   {"archive_created_in_bulk", "TA0009"},
    {"large_upload", "TA0010"},           {"mfa_denied", "TA0006"},
    {"mfa_approved", "TA0001"},           {"suspicious_office_child_process", "TA0002"},
    {"credential_dumping", "TA0006"},     {"ransomware_note", "TA0040"},
    {"phishing_link_clicked", "TA0001"},  {"impossible_travel", "TA0001"},
    {"mfa_method_added", "TA0003"},       {"vm_mass_creation", "TA0040"},
    {"crypto_mining_activity", "TA0040"}, {"web_attack_attempt", "TA0001"},
    {"web_shell_detected", "TA0003"},     {"beacon_pattern", "TA0011"},
    {"failed_sign_in", "TA0006"},         {"successful_sign_in", "TA0001"},
};

std::map<std::string, std::string> tactics_by_name() {
    auto known = tactic_of_older;
    for (const auto& shipped : api::catalogue::shipped_patterns()) {
        const auto document = json::parse(shipped.document_json);
        for (const auto& story : document["examples"]["must_match"]) {
            for (const auto& signal : story) {
                if (signal.contains("tactics")) known.emplace(signal["name"].get<std::string>(), signal["tactics"][0].get<std::string>());
            }
        }
    }
    return known;
}

/// The tactics of a pattern's mandatory stages in order, repeats in a row dropped. Empty: some stage has none that is known.
Tactics tactics_of(const engine::Pattern& pattern, const std::map<std::string, std::string>& known) {
    Tactics order;
    for (const auto& stage : pattern.stages) {
        if (stage.optional) continue;
        const auto names = stage.match.required_names();
        REQUIRE(names.has_value());
        const auto name = std::ranges::find_if(*names, [&](const auto& one) { return known.contains(one); });
        if (name == names->end()) return {};
        if (order.empty() || order.back() != known.at(*name)) order.push_back(known.at(*name));
    }
    return order;
}

bool occurs_in(const Tactics& part, const Tactics& whole) {
    auto next = part.begin();
    for (const auto& tactic : whole) {
        if (next != part.end() && *next == tactic) ++next;
    }
    return next == part.end();
}

}  // namespace

TEST_CASE("the catalogue has a chain for most incidents whose order of tactics is known" * doctest::skip(no_flows())) {
    const auto known = tactics_by_name();
    std::map<std::string, Tactics> chains;  // of three phases or more: two are in almost every incident
    for (const auto& shipped : api::catalogue::shipped_patterns()) {
        auto order = tactics_of(*shipped.pattern, known);
        if (order.size() >= 3) chains.emplace(shipped.pattern->id, std::move(order));
    }
    std::ifstream file{flow_file()};
    std::size_t flows = 0, seen = 0;
    std::string table;
    for (const auto& flow : json::parse(file)) {
        const auto order = flow["tactic_order"].get<Tactics>();
        if (order.empty()) continue;
        ++flows;
        std::vector<std::string> finders;
        for (const auto& [id, chain] : chains) {
            if (occurs_in(chain, order)) finders.push_back(id);
        }
        if (!finders.empty()) ++seen;
        table += fmt::format("\n{:<40} {}", flow["name"].get<std::string>(),
                             finders.empty() ? fmt::format("none of: {}", fmt::join(order, " ")) : fmt::format("{}", fmt::join(finders, ", ")));
    }
    MESSAGE(seen << " of " << flows << " incidents hold the order of tactics of one of " << chains.size() << " chains" << table);
    CHECK(chains.size() >= 20);
    CHECK(seen * 4 >= flows * 3);
}
