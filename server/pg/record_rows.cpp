#include "server/pg/record_rows.hpp"

#include "api/json/record_text.hpp"
#include "server/ingest/signal_row.hpp"
#include "server/pg/sql_text.hpp"

#include <initializer_list>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace catenary::server::pg {
namespace {

template <class Enum>
Enum named(std::string_view word, std::initializer_list<Enum> all) {
    for (const auto value : all) {
        if (engine::to_string(value) == word) return value;
    }
    throw std::invalid_argument("unknown word in a row: " + std::string{word});
}

template <class T>
T present(const std::optional<T>& value) {
    if (!value) throw std::invalid_argument("unknown word in a row");
    return *value;
}

engine::Severity severity_of(const pqxx::field& field) {
    const int value = field.as<int>();
    if (value < 0 || value > static_cast<int>(engine::Severity::high)) throw std::invalid_argument("unknown severity in a row");
    return static_cast<engine::Severity>(value);
}

}  // namespace

engine::FindingRecord finding_from(const pqxx::row& row) {
    using engine::FindingState;
    using engine::Mode;
    engine::FindingRecord finding;
    finding.id = engine::FindingId{uuid_from(row[0])};
    finding.state = named(row[1].c_str(), {FindingState::open, FindingState::waiting, FindingState::superseded});
    finding.pattern = row[2].c_str();
    finding.version = row[3].as<std::int32_t>();
    finding.mode = named(row[4].c_str(), {Mode::off, Mode::flighting, Mode::production});
    finding.title = row[5].c_str();
    finding.severity = severity_of(row[6]);
    finding.tactics = text_array(row[7]);
    finding.techniques = text_array(row[8]);
    finding.domains = text_array(row[9]);
    finding.principals = api::json::entity_keys_from_text(row[10].c_str());
    finding.start = timestamp_from(row[11]);
    finding.end = timestamp_from(row[12]);
    finding.score = api::json::score_from_text(row[13].c_str());
    finding.stages = api::json::stages_from_text(row[14].c_str());
    finding.evidence_total = row[15].as<std::int64_t>();
    if (!row[16].is_null()) finding.superseded_by = engine::FindingId{uuid_from(row[16])};
    if (!row[17].is_null()) finding.incident = engine::IncidentNumber{row[17].as<std::int64_t>()};
    finding.summary = row[18].c_str();
    if (!row[19].is_null()) finding.waiting_until = timestamp_from(row[19]);
    if (!row[20].is_null()) api::json::read_absence(row[20].c_str(), finding);
    return finding;
}

engine::IncidentRecord incident_from(const pqxx::row& row) {
    engine::IncidentRecord incident;
    incident.number = engine::IncidentNumber{row[0].as<std::int64_t>()};
    incident.title = row[1].c_str();
    incident.summary = row[2].c_str();
    incident.severity = severity_of(row[3]);
    incident.score = double_from(row[4]);
    incident.status = present(engine::incident_status_from(row[5].c_str()));
    if (!row[6].is_null()) incident.classification = present(engine::classification_from(row[6].c_str()));
    incident.classification_reason = row[7].c_str();
    incident.owner = row[8].c_str();
    incident.tactics = text_array(row[9]);
    incident.techniques = text_array(row[10]);
    incident.domains = text_array(row[11]);
    incident.patterns = text_array(row[12]);
    incident.principals = api::json::entity_keys_from_text(row[13].c_str());
    incident.entities = api::json::entity_keys_from_text(row[14].c_str());
    incident.entity_total = row[15].as<std::int64_t>();
    incident.first_activity = timestamp_from(row[16]);
    incident.last_activity = timestamp_from(row[17]);
    incident.created = timestamp_from(row[18]);
    incident.updated = timestamp_from(row[19]);
    incident.signal_count = row[20].as<std::int64_t>();
    incident.finding_count = row[21].as<std::int64_t>();
    incident.revision = row[22].as<std::int64_t>();
    if (!row[23].is_null()) incident.merged_into = engine::IncidentNumber{row[23].as<std::int64_t>()};
    for (const auto number : integer_array(row[24])) incident.related.emplace_back(number);
    incident.labels = text_array(row[25]);
    return incident;
}

api::ports::EvidenceRow evidence_from(const pqxx::row& row) {
    api::ports::EvidenceRow evidence;
    evidence.finding = engine::FindingId{uuid_from(row[0])};
    evidence.stage = row[1].c_str();
    auto& signal = evidence.signal.signal;
    signal.time = timestamp_from(row[2]);
    signal.source = row[3].c_str();
    signal.id = row[4].c_str();
    signal.domain = row[5].c_str();
    signal.name = row[6].c_str();
    evidence.signal.title = row[7].c_str();
    signal.tactics = text_array(row[8]);
    signal.techniques = text_array(row[9]);
    signal.severity = severity_of(row[10]);
    signal.confidence = double_from(row[11]);
    signal.count = row[12].as<std::int64_t>();
    signal.entities = mentions_from_text(row[13].c_str());
    evidence.signal.attributes_json = row[14].c_str();
    auto shown = shown_from(row[15].c_str());
    evidence.signal.shown_json = std::move(shown.values_json);
    evidence.signal.aliases_json = std::move(shown.aliases_json);
    evidence.signal.received = timestamp_from(row[16]);
    evidence.signal.late = row[17].as<bool>();
    return evidence;
}

std::vector<std::string> entity_key_texts(const std::vector<engine::EntityKey>& entities) {
    std::vector<std::string> texts;
    for (const auto& entity : entities) texts.push_back(entity.kind + ':' + entity.value);
    return texts;
}

}  // namespace catenary::server::pg
