#include "tests/api/catalogue/reference_scenarios.hpp"

#include "tests/support/shared_material.hpp"

#include <fstream>
#include <map>
#include <stdexcept>
#include <utility>

namespace catenary::tests {
namespace {

using Json = nlohmann::json;

std::filesystem::path scenario_file() { return shared_material() / "reference" / "fusion_scenarios.json"; }

constexpr const char* risky = "";  // any of the five doubtful sign-ins

/// The pattern that finds a pair of signals.
const std::map<std::pair<std::string, std::string>, std::string> pattern_of_pair{
    {{risky, "vm_mass_creation"}, "risky-sign-in-then-compute-abuse"},
    {{risky, "rare_resource_deployment_new_caller"}, "risky-sign-in-then-compute-abuse"},
    {{risky, "crypto_mining_activity"}, "risky-sign-in-then-crypto-mining"},
    {{risky, "multiple_password_resets"}, "risky-sign-in-then-password-resets"},
    {{risky, "vpn_success_after_failed_signins_same_ip"}, "vpn-break-in-beside-risky-sign-in"},
    {{risky, "credential_theft_tool_execution"}, "risky-sign-in-then-credential-theft"},
    {{risky, "credential_theft_activity"}, "risky-sign-in-then-credential-theft"},
    {{risky, "mass_file_deletion"}, "risky-sign-in-then-destruction"},
    {{risky, "email_mass_deletion"}, "risky-sign-in-then-destruction"},
    {{risky, "vm_mass_deletion"}, "risky-sign-in-then-destruction"},
    {{risky, "mass_file_download"}, "risky-sign-in-then-mass-download"},
    {{risky, "mass_file_sharing"}, "risky-sign-in-then-mass-sharing"},
    {{risky, "powerbi_mass_report_sharing"}, "risky-sign-in-then-report-sharing"},
    {{risky, "powerbi_suspicious_report_sharing"}, "risky-sign-in-then-report-sharing"},
    {{risky, "suspicious_inbox_forwarding"}, "account-takeover-to-mass-download"},
    {{risky, "suspicious_inbox_rule"}, "account-takeover-to-mass-download"},
    {{risky, "office_impersonation_activity"}, "risky-sign-in-then-impersonation"},
    {{risky, "suspicious_admin_activity"}, "risky-sign-in-then-administration"},
    {{risky, "suspicious_powershell_commandline"}, "risky-sign-in-then-powershell"},
    {{risky, "beacon_pattern"}, "risky-sign-in-then-beacon"},
    {{risky, "rare_app_consent"}, "risky-sign-in-then-rare-consent"},
    {{risky, "cloud_app_ransomware_activity"}, "risky-sign-in-then-cloud-ransomware"},
    {{"signin_success_from_firewall_blocked_ip", "mass_file_deletion"}, "vpn-break-in-to-data"},
    {{"signin_success_from_firewall_blocked_ip", "mass_file_download"}, "vpn-break-in-to-data"},
    {{"vpn_success_after_failed_signins_same_ip", "mass_file_deletion"}, "vpn-break-in-to-data"},
    {{"new_admin_account_activity", "mail_forwarding_activity"}, "new-administrator-then-mail-forwarding"},
    {{"mass_file_download", "sharepoint_file_operation_new_ip"}, "bulk-download-beside-new-address"},
    {{"cloud_app_malware_detected", "sharepoint_file_operation_new_ip"}, "malware-in-shared-files-then-new-address"},
    {{"powershell_suspicious_network_connection", "firewall_anomalous_traffic"}, "endpoint-execution-then-firewall-anomaly"},
    {{"remote_wmi_execution", "firewall_anomalous_traffic"}, "endpoint-execution-then-firewall-anomaly"},
    {{"tor_network_request", "firewall_anomalous_traffic"}, "endpoint-execution-then-firewall-anomaly"},
    {{"attack_framework_use", "firewall_anomalous_traffic"}, "endpoint-execution-then-firewall-anomaly"},
    {{"connection_to_ip_with_bad_history", "firewall_anomalous_traffic"}, "known-bad-address-then-firewall-anomaly"},
    {{"multiple_failed_signins_to_service", "beacon_pattern"}, "failed-sign-ins-then-beacon"},
};

std::vector<Json> alternatives(const Json& stage) { return stage.contains("any_of") ? stage["any_of"].get<std::vector<Json>>() : std::vector<Json>{stage}; }

std::string pattern_for(const std::string& first, const std::string& second) {
    for (const auto& known : {first, std::string{risky}}) {
        if (const auto found = pattern_of_pair.find({known, second}); found != pattern_of_pair.end()) return found->second;
    }
    throw std::runtime_error("no shipped pattern is named for " + first + " and " + second);
}

}  // namespace

bool no_reference_scenarios() { return shared_material().empty() || !std::filesystem::exists(scenario_file()); }

std::vector<Permutation> reference_permutations() {
    std::ifstream file{scenario_file()};
    std::vector<Permutation> all;
    for (const auto& scenario : Json::parse(file)) {
        const auto kinds = scenario["link_entities_inferred"].get<std::vector<std::string>>();
        for (const auto& first : alternatives(scenario["stages"][0])) {
            for (const auto& second : alternatives(scenario["stages"][1])) {
                const auto one = first["signal"].get<std::string>();
                const auto other = second["signal"].get<std::string>();
                all.push_back({one, other, first["domain"].get<std::string>(), second["domain"].get<std::string>(), kinds,
                               scenario["relation"] == "followed_by", pattern_for(one, other)});
            }
        }
    }
    return all;
}

Json reference_signal(const Permutation& permutation, bool first, const std::string& time, const std::string& suffix, const std::string& id) {
    auto entities = Json::array();
    for (const auto& kind : permutation.kinds) {
        const auto value = kind == "ip"                                 ? "2001:db8::" + suffix
                           : kind == "host" || kind == "cloud_resource" ? "machine-" + suffix
                                                                        : "user-" + suffix + "@ne.example";
        entities.push_back({{"kind", kind}, {"value", value}});
    }
    return {{"source", "reference"},
            {"id", id},
            {"time", time},
            {"domain", first ? permutation.first_domain : permutation.second_domain},
            {"name", first ? permutation.first : permutation.second},
            {"confidence", 0.35},
            {"entities", entities}};
}

}  // namespace catenary::tests
