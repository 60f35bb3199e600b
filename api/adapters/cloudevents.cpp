#include "api/adapters/adapter.hpp"
#include "api/json/time_json.hpp"

#include <algorithm>
#include <array>

namespace catenary::api::adapters {
namespace {

using engine::FaultCode;

constexpr std::array<std::string_view, 9> neutral_members{"domain", "name", "title", "severity", "confidence", "tactics", "techniques", "entities", "count"};

/// Members of the neutral form that stand in `data` as they are: what is wrong with them is said when the signal is checked.
void read_data(NeutralSignal& signal, const Node& data) {
    for (const auto member : neutral_members) {
        const auto node = data.at(member);
        if (!node) continue;
        signal.derive(member, nlohmann::ordered_json(node.value()), node);
        node.take();
    }
}

/// "account:j.morrison@ne.example": a subject of the form that entities have in queries.
void read_subject(NeutralSignal& signal, const Node& subject) {
    const auto text = subject.text();
    const auto colon = text ? text->find(':') : std::string::npos;
    if (colon == std::string::npos || signal.has("entities")) return;
    const auto kind = text->substr(0, colon);
    const bool is_kind = colon > 0 && colon <= 32 && std::ranges::all_of(kind, [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
    if (is_kind && !text->substr(colon + 1).starts_with("//")) signal.entity(kind, text->substr(colon + 1), {subject}, "");
}

}  // namespace

Adapted adapt_cloudevent(Record& record, const std::string& source) {
    NeutralSignal signal;
    const auto root = record.root();
    const auto version = root.at("specversion");
    if (!version) signal.missing("/specversion", "a CloudEvent names its version, \"1.0\"");
    if (version && version.text() != "1.0" && version.text() != "0.3") signal.fault(FaultCode::unsupported, version.pointer(), "version 1.0 is understood");
    if (version) version.take();
    if (root.at("data_base64")) {
        signal.fault(FaultCode::unsupported, "/data_base64", "data must be JSON in \"data\"");
    }
    if (!signal.text("id", {root.at("id")}, 512)) signal.missing("/id", "a CloudEvent has an id of 1 to 512 bytes");
    if (!source.empty()) signal.derive("source", source, root.at("source"));
    else if (!signal.text("source", {root.at("source")}, 128)) signal.missing("/source", "names the source in 1 to 128 bytes; or say it with ?source=");

    const auto at = root.at("time");
    const auto text = at.text();
    const auto time = text ? json::parse_time(*text) : std::nullopt;
    if (time) signal.time(*time, at);
    else if (at) signal.fault(FaultCode::malformed, at.pointer(), "is no RFC 3339 time");
    else signal.missing("/time", "says when it happened; the time of arrival would be somebody else's");

    const auto type = root.at("type");
    if (!type.text()) signal.missing("/type", "a CloudEvent has a type");
    read_data(signal, root.at("data"));
    if (!signal.has("name") && type.text()) signal.text("name", {type}, 256);
    if (!signal.has("domain") && !signal.text("domain", {root.at("domain")}, 64)) signal.derive("domain", "cloud_app", type);
    if (!signal.has("confidence")) signal.derive("confidence", detection_confidence, type);
    read_subject(signal, root.at("subject"));
    return std::move(signal).finish(record);
}

}  // namespace catenary::api::adapters
