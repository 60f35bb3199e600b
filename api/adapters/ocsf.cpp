#include "api/adapters/adapter.hpp"
#include "api/adapters/ocsf_entities.hpp"
#include "api/json/time_json.hpp"

#include <fmt/format.h>

#include <array>
#include <span>

namespace catenary::api::adapters {
namespace {

using engine::FaultCode;

enum Category : std::int64_t { system = 1, findings = 2, identity = 3, network = 4, discovery = 5, application = 6 };
enum Class : std::int64_t { authentication = 3002, http_activity = 4002, email_activity = 4009, email_file = 4011, email_url = 4012, api_activity = 6003 };

/// Of core classes 1001 to 7999; an extension adds multiples of 100,000.
std::int64_t category_of(std::int64_t class_uid) { return class_uid / 1000 % 100; }

std::string domain_of(const Node& root, std::int64_t class_uid) {
    const bool has_cloud = static_cast<bool>(root.at("cloud"));
    switch (category_of(class_uid)) {
        case Category::system:
        case Category::discovery: return "endpoint";
        case Category::identity: return "identity";
        case Category::network:
            if (class_uid == Class::http_activity) return "web";
            return class_uid == Class::email_activity || class_uid == Class::email_file || class_uid == Class::email_url ? "email" : "network";
        case Category::application: return class_uid == Class::api_activity && has_cloud ? "cloud_infra" : "cloud_app";
        default: break;
    }
    // A finding is of the domain that its subject belongs to.
    const auto evidence = root.at("evidences").items();
    const auto speaks_of = [&](std::string_view member) {
        if (root.at(member)) return true;
        for (const auto& each : evidence) {
            if (each.at(member)) return true;
        }
        return false;
    };
    if (speaks_of("device") || speaks_of("process")) return "endpoint";
    if (speaks_of("email")) return "email";
    if (has_cloud || speaks_of("resources")) return "cloud_infra";
    if (speaks_of("src_endpoint") || speaks_of("dst_endpoint") || speaks_of("connection_info")) return "network";
    if (speaks_of("user") || speaks_of("actor")) return "identity";
    return "finding";
}

/// Milliseconds since 1970, or RFC 3339 in the members of the date-time profile.
std::optional<engine::Timestamp> time_of(const Node& node) {
    if (const auto millis = node.integer()) {
        constexpr std::int64_t year_9999 = 253'402'300'800'000;
        if (*millis < 0 || *millis >= year_9999) return std::nullopt;
        return engine::from_micros(*millis * 1000);
    }
    const auto text = node.text();
    return text ? json::parse_time(*text) : std::nullopt;
}

/// When the activity was. In a finding `time` is when the finding was made, which may be days later.
void read_time(NeutralSignal& signal, const Node& root, bool is_finding) {
    constexpr std::array<std::string_view, 9> of_finding{"start_time",
                                                         "start_time_dt",
                                                         "finding_info.first_seen_time",
                                                         "finding_info.first_seen_time_dt",
                                                         "finding.first_seen_time",
                                                         "finding_info.created_time",
                                                         "finding_info.created_time_dt",
                                                         "time",
                                                         "time_dt"};
    constexpr std::array<std::string_view, 2> of_event{"time", "time_dt"};
    for (const auto path : is_finding ? std::span<const std::string_view>{of_finding} : std::span<const std::string_view>{of_event}) {
        const auto node = root.at(path);
        if (!node) continue;
        const auto time = time_of(node);
        if (time) return signal.time(*time, node);
        return signal.fault(FaultCode::malformed, node.pointer(), "is neither milliseconds since 1970 nor an RFC 3339 time");
    }
    signal.missing("/time", is_finding ? "needs one of start_time, finding_info.first_seen_time, finding_info.created_time, time" : "needs time");
}

void read_name(NeutralSignal& signal, const Node& root, std::int64_t class_uid, bool is_finding) {
    const auto derive = [&](const Node& node) {
        const auto text = node.text();
        if (!text || slug(*text).empty() || slug(*text).size() > 256) return false;
        signal.derive("name", slug(*text), node);
        return true;
    };
    if (is_finding) {
        for (const auto* path :
             {"finding_info.analytic.name", "finding_info.analytic.uid", "finding.types", "finding_info.types", "finding_info.title", "finding.title"}) {
            for (const auto& node : root.at(path).items()) {
                if (derive(node)) return;
            }
        }
    }
    if (class_uid == Class::authentication && root.at("activity_id").integer() == 1) {  // a logon
        const auto status = root.at("status_id");
        if (status.integer() == 1) return signal.derive("name", "successful_sign_in", status);
        if (status.integer() == 2) return signal.derive("name", "failed_sign_in", status);
    }
    if (derive(root.at("type_name"))) return;
    const auto activity = root.at("activity_name").text().value_or(fmt::format("activity_{}", root.at("activity_id").integer().value_or(0)));
    signal.derive("name", slug(fmt::format("{} {}", root.at("class_name").text().value_or(fmt::format("ocsf_{}", class_uid)), activity)), root.at("class_uid"));
}

void read_severity(NeutralSignal& signal, const Node& root) {
    const auto node = root.at("severity_id");
    if (!node) return;
    switch (node.integer().value_or(0)) {
        case 2: return signal.derive("severity", "low", node);
        case 3: return signal.derive("severity", "medium", node);
        case 4:
        case 5:
        case 6: return signal.derive("severity", "high", node);
        default: return signal.derive("severity", "informational", node);  // informational, unknown or other
    }
}

void read_confidence(NeutralSignal& signal, const Node& root, bool is_finding) {
    const auto score = root.at("confidence_score");
    if (const auto percent = score.number(); percent && *percent >= 0 && *percent <= 100) return signal.derive("confidence", *percent / 100, score);
    const auto level = root.at("confidence_id");
    switch (level.integer().value_or(0)) {
        case 1: return signal.derive("confidence", 0.1, level);
        case 2: return signal.derive("confidence", 0.35, level);
        case 3: return signal.derive("confidence", 0.7, level);
        default: break;
    }
    signal.derive("confidence", is_finding ? detection_confidence : event_confidence, root.at("class_uid"));
}

void read_attacks(NeutralSignal& signal, const Node& attacks) {
    for (const auto& attack : attacks.items()) {
        signal.tactic(attack.at("tactic.uid"));
        for (const auto& tactic : attack.at("tactics").items()) signal.tactic(tactic.at("uid"));
        signal.technique(attack.at("sub_technique.uid"));
        signal.technique(attack.at("technique.uid"));
    }
}

}  // namespace

Adapted adapt_ocsf(Record& record, const std::string& source) {
    NeutralSignal signal;
    const auto root = record.root();
    const auto class_node = root.at("class_uid");
    const auto class_uid = class_node.integer();
    if (!class_node) signal.missing("/class_uid", "an OCSF event names its class");
    if (class_node && (!class_uid || *class_uid < 0)) signal.fault(FaultCode::wrong_type, class_node.pointer(), "a class is a whole number such as 2004");
    if (!class_uid || *class_uid < 0) return std::move(signal).finish(record);

    const bool is_finding = category_of(*class_uid) == Category::findings;
    if (!signal.text("id", {root.at("metadata.uid")}, 512) && is_finding) signal.text("id", {root.at("finding_info.uid"), root.at("finding.uid")}, 512);
    if (!source.empty()) signal.derive("source", source, root.at("metadata"));
    else if (!signal.text("source", {root.at("metadata.product.name"), root.at("metadata.product.vendor_name")}, 128))
        signal.missing("/metadata/product/name", "names the source; or say it with ?source=");
    read_time(signal, root, is_finding);
    signal.derive("domain", domain_of(root, *class_uid), class_node);
    read_name(signal, root, *class_uid, is_finding);
    signal.text("title", {root.at("finding_info.title"), root.at("finding.title"), root.at("message")}, 1024);
    read_attacks(signal, root.at("attacks"));
    read_attacks(signal, root.at("finding_info.attacks"));
    read_severity(signal, root);
    read_confidence(signal, root, is_finding);
    const auto count = root.at("count");
    if (const auto number = count.integer(); number && *number >= 1) {
        signal.derive("count", *number, count);
        count.take();
    }
    read_ocsf_entities(signal, root);
    return std::move(signal).finish(record);
}

}  // namespace catenary::api::adapters
