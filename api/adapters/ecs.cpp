#include "api/adapters/adapter.hpp"
#include "api/adapters/ecs_entities.hpp"
#include "api/json/time_json.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <span>

namespace catenary::api::adapters {
namespace {

using engine::FaultCode;

/// Text of a field or of each of its values, categories for instance.
std::set<std::string> texts(const Node& node) {
    std::set<std::string> all;
    for (const auto& item : node.items()) {
        if (auto text = item.text()) all.insert(*std::move(text));
    }
    return all;
}

/// "alert" and "signal" are detections; everything else is an event.
bool is_detection(const Node& root) {
    const auto kind = root.at("event.kind").text().value_or("");
    return kind == "alert" || kind == "signal" || root.at("kibana.alert.rule.name");
}

std::string domain_of(const Node& root, const std::set<std::string>& categories) {
    struct Row {
        std::string_view category;
        std::string_view domain;
    };
    // In this order: a sign-in over the network is about the identity.
    constexpr std::array<Row, 18> rows{{{"email", "email"},
                                        {"authentication", "identity"},
                                        {"iam", "identity"},
                                        {"session", "identity"},
                                        {"web", "web"},
                                        {"database", "data"},
                                        {"malware", "endpoint"},
                                        {"process", "endpoint"},
                                        {"file", "endpoint"},
                                        {"registry", "endpoint"},
                                        {"driver", "endpoint"},
                                        {"library", "endpoint"},
                                        {"package", "endpoint"},
                                        {"host", "endpoint"},
                                        {"api", "cloud_infra"},
                                        {"intrusion_detection", "network"},
                                        {"network", "network"},
                                        {"configuration", "cloud_infra"}}};
    for (const auto& row : rows) {
        if (categories.contains(std::string{row.category})) return std::string{row.domain};
    }
    if (root.at("process.name") || root.at("process.executable")) return "endpoint";
    if (root.at("cloud.provider")) return "cloud_infra";
    if (root.at("source.ip") || root.at("destination.ip")) return "network";
    if (root.at("host.name")) return "endpoint";
    return "event";
}

/// When the activity was: an alert that a rule wrote keeps the time of what it is about beside its own.
void read_time(NeutralSignal& signal, const Node& root, bool detection) {
    constexpr std::array<std::string_view, 4> of_detection{"kibana.alert.original_time", "signal.original_time", "event.start", "@timestamp"};
    constexpr std::array<std::string_view, 2> of_event{"@timestamp", "event.start"};
    for (const auto path : detection ? std::span<const std::string_view>{of_detection} : std::span<const std::string_view>{of_event}) {
        const auto node = root.at(path);
        if (!node) continue;
        const auto text = node.value().is_string() ? node.text() : std::nullopt;
        const auto time = text ? json::parse_time(*text) : std::nullopt;
        if (time) return signal.time(*time, node);
        return signal.fault(FaultCode::malformed, node.pointer(), "is no RFC 3339 time");
    }
    signal.missing("/@timestamp", "an ECS event has a time");
}

void read_name(NeutralSignal& signal, const Node& root, const std::set<std::string>& categories, bool detection) {
    const auto derive = [&](std::string_view path) {
        const auto node = root.at(path);
        const auto text = node.text();
        if (!text || slug(*text).empty() || slug(*text).size() > 256) return false;
        signal.derive("name", slug(*text), node);
        return true;
    };
    if (detection) {
        for (const auto* path : {"rule.name", "kibana.alert.rule.name", "signal.rule.name"}) {
            if (derive(path)) return;
        }
    }
    const auto outcome = root.at("event.outcome");
    const auto types = texts(root.at("event.type"));
    if (categories.contains("authentication") && (types.empty() || types.contains("start"))) {
        if (outcome.text() == "success") return signal.derive("name", "successful_sign_in", outcome);
        if (outcome.text() == "failure") return signal.derive("name", "failed_sign_in", outcome);
    }
    for (const auto* path : {"event.action", "rule.name", "event.code", "event.dataset"}) {
        if (derive(path)) return;
    }
    signal.missing("/event/action", "names what happened; so do rule.name, event.code and event.dataset");
}

/// Words where a rule gives one; else the risk score of 0 to 100, cut where detection rules of this schema are usually cut: 21, 47, 73.
void read_severity(NeutralSignal& signal, const Node& root) {
    for (const auto* path : {"kibana.alert.severity", "signal.rule.severity"}) {
        const auto node = root.at(path);
        const auto word = node.text();
        if (word == "low" || word == "medium" || word == "high") return signal.derive("severity", *word, node);
        if (word == "critical") return signal.derive("severity", "high", node);
    }
    for (const auto* path : {"kibana.alert.risk_score", "signal.rule.risk_score", "event.risk_score"}) {
        const auto node = root.at(path);
        const auto score = node.number();
        if (score) return signal.derive("severity", *score >= 73 ? "high" : *score >= 47 ? "medium" : *score >= 21 ? "low" : "informational", node);
    }
}

/// Ids in lists of their own, or in the lists of objects that rules of alerts have.
void read_attack(NeutralSignal& signal, const Node& root, const std::string& name) {
    for (const auto& id : root.at(name + ".tactic.id").items()) signal.tactic(id);
    for (const auto& id : root.at(name + ".technique.subtechnique.id").items()) signal.technique(id);
    for (const auto& id : root.at(name + ".technique.id").items()) signal.technique(id);
    for (const auto& threat : root.at(name).items()) {
        signal.tactic(threat.at("tactic.id"));
        for (const auto& technique : threat.at("technique").items()) {
            signal.technique(technique.at("id"));
            for (const auto& sub : technique.at("subtechnique").items()) signal.technique(sub.at("id"));
        }
    }
}

}  // namespace

Adapted adapt_ecs(Record& record, const std::string& source) {
    NeutralSignal signal;
    const auto root = record.root();
    const bool detection = is_detection(root);
    const auto categories = texts(root.at("event.category"));
    signal.text("id", {root.at("kibana.alert.uuid"), root.at("event.id"), root.at("_id")}, 512);
    read_name(signal, root, categories, detection);  // before the source takes the data set
    const auto module = root.at("event.module");
    if (!source.empty()) signal.derive("source", source, module);
    else if (!signal.text("source", {module, root.at("event.provider"), root.at("observer.product"), root.at("event.dataset"), root.at("agent.type")}, 128))
        signal.missing("/event/module", "names the source; so do event.provider, observer.product, event.dataset, agent.type and ?source=");
    read_time(signal, root, detection);
    signal.derive("domain", domain_of(root, categories), root.at("event.category"));
    signal.text("title", {root.at("kibana.alert.reason"), root.at("message")}, 1024);
    read_attack(signal, root, "threat");
    read_attack(signal, root, "kibana.alert.rule.threat");
    read_severity(signal, root);
    signal.derive("confidence", detection ? detection_confidence : event_confidence, root.at("event.kind"));
    read_ecs_entities(signal, root);
    return std::move(signal).finish(record);
}

}  // namespace catenary::api::adapters
