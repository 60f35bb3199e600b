#include "api/json/control_json.hpp"

#include "api/catalogue/shipped_patterns.hpp"
#include "api/documents/pattern_document.hpp"
#include "api/json/time_json.hpp"

#include <boost/uuid/string_generator.hpp>
#include <boost/uuid/uuid_io.hpp>
#include <nlohmann/json.hpp>

#include <stdexcept>

namespace catenary::api::json {
namespace {

using Json = nlohmann::ordered_json;

std::string text_of(const Json& body) { return body.dump(-1, ' ', false, Json::error_handler_t::replace); }

template <class T>
T needed(std::optional<T> value, const char* what) {
    if (!value) throw std::invalid_argument(what);
    return *std::move(value);
}

std::optional<std::string> text_member(const Json& body, const char* name) {
    const auto found = body.find(name);
    if (found == body.end()) return std::nullopt;
    return found->get<std::string>();
}

engine::WatermarkCall watermark_from(const Json& body) { return {needed(parse_time(body.at("time").get<std::string>()), "time"), body.at("hold").get<bool>()}; }

/// What runs no more cannot be switched on; its former findings are of the same id.
std::shared_ptr<const engine::Pattern> gone(const std::string& id) {
    auto pattern = std::make_shared<engine::Pattern>();
    pattern->id = id;
    pattern->mode = engine::Mode::off;
    return pattern;
}

engine::PatternChange shipped_from(const Json& body, engine::Mode mode) {
    const auto id = body.at("id").get<std::string>();
    const auto* shipped = catalogue::find_shipped(id);
    if (shipped == nullptr) return {gone(id), std::nullopt, engine::Mode::off};
    return {shipped->pattern, std::nullopt, mode};
}

engine::PatternChange pattern_from(const Json& body) {
    const auto mode = needed(documents::mode_from(body.at("mode").get<std::string>()), "mode");
    engine::PatternChange change;
    if (body.value("shipped", false)) change = shipped_from(body, mode);
    else
        change.pattern =
            std::make_shared<const engine::Pattern>(documents::stored_pattern(body.at("document").dump(), body.at("version").get<std::int32_t>(), mode));
    if (const auto from = text_member(body, "effective_from")) change.effective_from = needed(parse_time(*from), "effective_from");
    return change;
}

engine::IncidentEdit edit_from(const Json& body) {
    engine::IncidentEdit edit;
    edit.number = engine::IncidentNumber{body.at("number").get<std::int64_t>()};
    if (const auto word = text_member(body, "status")) edit.status = needed(engine::incident_status_from(*word), "status");
    if (const auto word = text_member(body, "classification")) edit.classification = needed(engine::classification_from(*word), "classification");
    edit.reason = text_member(body, "reason");
    edit.owner = text_member(body, "owner");
    edit.title = text_member(body, "title");
    if (const auto word = text_member(body, "severity")) edit.severity = needed(engine::severity_from(*word), "severity");
    if (const auto found = body.find("labels"); found != body.end()) edit.labels = found->get<std::vector<std::string>>();
    edit.actor = body.at("actor").get<std::string>();
    return edit;
}

engine::SettingChange setting_from(const Json& body) {
    engine::SettingChange change;
    if (const auto found = body.find("lateness_micros"); found != body.end()) change.lateness = engine::Duration{found->get<std::int64_t>()};
    if (const auto found = body.find("base_rate"); found != body.end()) change.base_rate = found->get<double>();
    if (const auto found = body.find("unlinkable_limit"); found != body.end()) change.unlinkable_limit = found->get<int>();
    if (const auto found = body.find("group_within_micros"); found != body.end()) change.group_within = engine::Duration{found->get<std::int64_t>()};
    if (const auto found = body.find("window_signals"); found != body.end()) change.window_signals = found->get<std::int64_t>();
    if (const auto found = body.find("daily_incidents"); found != body.end()) change.daily_incidents = found->get<std::int64_t>();
    if (const auto found = body.find("incident_entities"); found != body.end()) change.incident_entities = found->get<int>();
    return change;
}

engine::EntityChange entity_from(const Json& body) {
    engine::EntityChange change{{body.at("kind").get<std::string>(), body.at("value").get<std::string>()}, engine::LinkRule::usual};
    if (const auto& word = body.at("link"); !word.is_null()) change.link = needed(engine::link_rule_from(word.get<std::string>()), "link");
    return change;
}

engine::IncidentNumber number_from(const Json& value) { return engine::IncidentNumber{value.get<std::int64_t>()}; }

engine::IncidentComment comment_from(const Json& body) {
    return {number_from(body.at("number")), body.at("text").get<std::string>(), body.at("actor").get<std::string>()};
}

engine::IncidentMerge merge_from(const Json& body) {
    engine::IncidentMerge merge{number_from(body.at("into")), {}, body.at("reason").get<std::string>(), body.at("actor").get<std::string>()};
    for (const auto& number : body.at("numbers")) merge.numbers.push_back(number_from(number));
    return merge;
}

engine::IncidentSplit split_from(const Json& body) {
    engine::IncidentSplit split{number_from(body.at("number")), {}, body.at("reason").get<std::string>(), body.at("actor").get<std::string>()};
    for (const auto& id : body.at("findings")) split.findings.emplace_back(boost::uuids::string_generator{}(id.get<std::string>()));
    return split;
}

}  // namespace

std::string_view control_kind(const engine::ControlBody& body) {
    struct Kind {
        std::string_view operator()(const engine::Tick&) const { return "tick"; }
        std::string_view operator()(const engine::WatermarkCall&) const { return "watermark"; }
        std::string_view operator()(const engine::PatternChange&) const { return "pattern"; }
        std::string_view operator()(const engine::IncidentEdit&) const { return "incident"; }
        std::string_view operator()(const engine::SettingChange&) const { return "setting"; }
        std::string_view operator()(const engine::IncidentComment&) const { return "comment"; }
        std::string_view operator()(const engine::IncidentMerge&) const { return "merge"; }
        std::string_view operator()(const engine::IncidentSplit&) const { return "split"; }
        std::string_view operator()(const engine::EntityChange&) const { return "entity"; }
    };
    return std::visit(Kind{}, body);
}

std::string control_to_text(const engine::Tick&) { return "{}"; }

std::string control_to_text(const engine::WatermarkCall& call) { return text_of({{"time", format_time(call.time)}, {"hold", call.hold}}); }

std::string control_to_text(const engine::IncidentEdit& edit) {
    Json body{{"number", edit.number.value()}};
    if (edit.status) body["status"] = engine::to_string(*edit.status);
    if (edit.classification) body["classification"] = engine::to_string(*edit.classification);
    if (edit.reason) body["reason"] = *edit.reason;
    if (edit.owner) body["owner"] = *edit.owner;
    if (edit.title) body["title"] = *edit.title;
    if (edit.severity) body["severity"] = engine::to_string(*edit.severity);
    if (edit.labels) body["labels"] = *edit.labels;
    body["actor"] = edit.actor;
    return text_of(body);
}

std::string control_to_text(const engine::SettingChange& change) {
    Json body = Json::object();
    if (change.lateness) body["lateness_micros"] = change.lateness->count();
    if (change.base_rate) body["base_rate"] = *change.base_rate;
    if (change.unlinkable_limit) body["unlinkable_limit"] = *change.unlinkable_limit;
    if (change.group_within) body["group_within_micros"] = change.group_within->count();
    if (change.window_signals) body["window_signals"] = *change.window_signals;
    if (change.daily_incidents) body["daily_incidents"] = *change.daily_incidents;
    if (change.incident_entities) body["incident_entities"] = *change.incident_entities;
    return text_of(body);
}

std::string control_to_text(const engine::IncidentComment& comment) {
    return text_of({{"number", comment.number.value()}, {"text", comment.text}, {"actor", comment.actor}});
}

std::string control_to_text(const engine::IncidentMerge& merge) {
    Json numbers = Json::array();
    for (const auto number : merge.numbers) numbers.push_back(number.value());
    return text_of({{"into", merge.into.value()}, {"numbers", std::move(numbers)}, {"reason", merge.reason}, {"actor", merge.actor}});
}

std::string control_to_text(const engine::IncidentSplit& split) {
    Json findings = Json::array();
    for (const auto& id : split.findings) findings.push_back(boost::uuids::to_string(id.value()));
    return text_of({{"number", split.number.value()}, {"findings", std::move(findings)}, {"reason", split.reason}, {"actor", split.actor}});
}

std::string entity_control_text(const ports::EntityRow& wanted) {
    const auto& [kind, value] = wanted.key;
    const auto& notes = wanted.notes;
    Json body{{"id", kind + ':' + value}, {"kind", kind}, {"value", value}, {"tags", notes.tags}};
    body["criticality"] = notes.criticality ? Json(entities::to_string(*notes.criticality)) : Json(nullptr);
    body["facts"] = Json::parse(notes.facts_json);
    body["link"] = notes.link == engine::LinkRule::usual ? Json(nullptr) : Json(engine::to_string(notes.link));
    return text_of(body);
}

std::string pattern_control_text(std::string_view id, std::int32_t version, engine::Mode mode, std::optional<engine::Timestamp> effective_from,
                                 std::string_view document) {
    Json body{{"id", id}, {"version", version}, {"mode", engine::to_string(mode)}};
    if (effective_from) body["effective_from"] = format_time(*effective_from);
    auto text = text_of(body);
    text.pop_back();  // the document goes in as it is: parsing and writing it again could only change it
    return text + ",\"document\":" + std::string{document} + '}';
}

std::string shipped_control_text(std::string_view id, engine::Mode mode, std::optional<engine::Timestamp> effective_from) {
    Json body{{"id", id}, {"shipped", true}, {"mode", engine::to_string(mode)}};
    if (effective_from) body["effective_from"] = format_time(*effective_from);
    return text_of(body);
}

engine::Result<engine::ControlBody> control_from_text(std::string_view kind, std::string_view text) {
    try {
        const auto body = Json::parse(text);
        if (kind == "tick") return engine::ControlBody{engine::Tick{}};
        if (kind == "watermark") return engine::ControlBody{watermark_from(body)};
        if (kind == "pattern") return engine::ControlBody{pattern_from(body)};
        if (kind == "incident") return engine::ControlBody{edit_from(body)};
        if (kind == "setting") return engine::ControlBody{setting_from(body)};
        if (kind == "comment") return engine::ControlBody{comment_from(body)};
        if (kind == "merge") return engine::ControlBody{merge_from(body)};
        if (kind == "split") return engine::ControlBody{split_from(body)};
        if (kind == "entity") return engine::ControlBody{entity_from(body)};
        return engine::Fault{engine::FaultCode::unsupported, "", "control entry of unknown kind " + std::string{kind} + ": written by a newer version"};
    } catch (const nlohmann::json::exception& error) {
        return engine::Fault{engine::FaultCode::malformed, "", std::string{"damaged control entry: "} + error.what()};
    } catch (const std::invalid_argument& error) {
        return engine::Fault{engine::FaultCode::malformed, "", std::string{"damaged control entry: "} + error.what()};
    } catch (const std::runtime_error&) {  // of the UUID reader
        return engine::Fault{engine::FaultCode::malformed, "", "damaged control entry: an id is no UUID"};
    }
}

}  // namespace catenary::api::json
