#include "api/json/record_text.hpp"

#include <nlohmann/json.hpp>

#include <stdexcept>

namespace catenary::api::json {
namespace {

using Json = nlohmann::ordered_json;

std::string text_of(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

template <class Read>
auto read(std::string_view text, Read&& take) {
    try {
        return take(Json::parse(text));
    } catch (const Json::exception& error) {
        throw std::invalid_argument(std::string{"damaged record text: "} + error.what());
    }
}

Json json_of(const engine::EntityKey& entity) { return {{"kind", entity.kind}, {"value", entity.value}}; }
engine::EntityKey entity_from(const Json& value) { return {value.at("kind").get<std::string>(), value.at("value").get<std::string>()}; }

Json json_of(const engine::SignalRef& signal) { return {{"time_us", engine::to_micros(signal.time)}, {"source", signal.source}, {"id", signal.id}}; }
engine::SignalRef signal_from(const Json& value) {
    return {engine::from_micros(value.at("time_us").get<std::int64_t>()), value.at("source").get<std::string>(), value.at("id").get<std::string>()};
}

Json json_of(const engine::StageSummary& stage) {
    Json value{{"id", stage.id}, {"count", stage.count}};
    if (stage.first) value["first"] = json_of(*stage.first);
    if (!stage.because.empty()) value["because"] = stage.because;
    if (stage.after) value["after_us"] = stage.after->count();
    if (stage.limit) value["limit_us"] = stage.limit->count();
    if (stage.linked_by) value["linked_by"] = json_of(*stage.linked_by);
    return value;
}

engine::StageSummary stage_from(const Json& value) {
    engine::StageSummary stage;
    stage.id = value.at("id").get<std::string>();
    stage.count = value.at("count").get<std::int64_t>();
    if (const auto it = value.find("first"); it != value.end()) stage.first = signal_from(*it);
    if (const auto it = value.find("because"); it != value.end()) stage.because = it->get<std::vector<std::string>>();
    if (const auto it = value.find("after_us"); it != value.end()) stage.after = engine::Duration{it->get<std::int64_t>()};
    if (const auto it = value.find("limit_us"); it != value.end()) stage.limit = engine::Duration{it->get<std::int64_t>()};
    if (const auto it = value.find("linked_by"); it != value.end()) stage.linked_by = entity_from(*it);
    return stage;
}

}  // namespace

std::string score_to_text(const engine::Score& score) {
    Json contributions = Json::array();
    for (const auto& part : score.contributions) contributions.push_back({{"stage", part.stage}, {"bits", part.bits}, {"reason", part.reason}});
    return text_of({{"prior", score.prior_bits},
                    {"contributions", std::move(contributions)},
                    {"domain_bonus", score.domain_bonus_bits},
                    {"phase_bonus", score.phase_bonus_bits},
                    {"total", score.total_bits},
                    {"probability", score.probability}});
}

engine::Score score_from_text(std::string_view text) {
    return read(text, [](const Json& value) {
        engine::Score score;
        score.prior_bits = value.at("prior").get<double>();
        for (const auto& part : value.at("contributions")) {
            score.contributions.push_back({part.at("stage").get<std::string>(), part.at("bits").get<double>(), part.at("reason").get<std::string>()});
        }
        score.domain_bonus_bits = value.at("domain_bonus").get<double>();
        score.phase_bonus_bits = value.at("phase_bonus").get<double>();
        score.total_bits = value.at("total").get<double>();
        score.probability = value.at("probability").get<double>();
        return score;
    });
}

std::string stages_to_text(const std::vector<engine::StageSummary>& stages) {
    Json list = Json::array();
    for (const auto& stage : stages) list.push_back(json_of(stage));
    return text_of(list);
}

std::vector<engine::StageSummary> stages_from_text(std::string_view text) {
    return read(text, [](const Json& value) {
        std::vector<engine::StageSummary> stages;
        for (const auto& stage : value) stages.push_back(stage_from(stage));
        return stages;
    });
}

std::optional<std::string> absence_to_text(const engine::FindingRecord& finding) {
    if (finding.absences.empty()) return std::nullopt;
    Json late = Json::array();
    for (const auto& answer : finding.late_answers) late.push_back({{"signal", json_of(answer.signal)}, {"absence", answer.absence}});
    return text_of({{"awaited", finding.absences}, {"late", std::move(late)}, {"more", finding.more_late_answers}});
}

void read_absence(std::string_view text, engine::FindingRecord& finding) {
    read(text, [&](const Json& value) {
        finding.absences = value.at("awaited").get<std::vector<std::string>>();
        for (const auto& answer : value.at("late")) {
            finding.late_answers.push_back({signal_from(answer.at("signal")), answer.at("absence").get<std::string>()});
        }
        finding.more_late_answers = value.at("more").get<bool>();
    });
}

std::string entity_keys_to_text(const std::vector<engine::EntityKey>& entities) {
    Json list = Json::array();
    for (const auto& entity : entities) list.push_back(json_of(entity));
    return text_of(list);
}

std::vector<engine::EntityKey> entity_keys_from_text(std::string_view text) {
    return read(text, [](const Json& value) {
        std::vector<engine::EntityKey> entities;
        for (const auto& entity : value) entities.push_back(entity_from(entity));
        return entities;
    });
}

std::string chain_stages_to_text(const std::vector<engine::ChainStage>& stages) {
    Json list = Json::array();
    for (const auto& stage : stages) {
        list.push_back({{"id", stage.id}, {"time_us", engine::to_micros(stage.signal.time)}, {"source", stage.signal.source}, {"signal", stage.signal.id}});
    }
    return text_of(list);
}

std::vector<engine::ChainStage> chain_stages_from_text(std::string_view text) {
    return read(text, [](const Json& list) {
        std::vector<engine::ChainStage> stages;
        for (const auto& stage : list) {
            stages.push_back(
                {stage.at("id").get<std::string>(),
                 {engine::from_micros(stage.at("time_us").get<std::int64_t>()), stage.at("source").get<std::string>(), stage.at("signal").get<std::string>()}});
        }
        return stages;
    });
}

}  // namespace catenary::api::json
