#include "server/pg/incident_store.hpp"

#include "server/pg/place.hpp"
#include "server/pg/record_rows.hpp"
#include "server/pg/sql_text.hpp"
#include "server/pg/tenant_transaction.hpp"

#include <fmt/format.h>

#include <array>
#include <string_view>
#include <type_traits>
#include <utility>

namespace catenary::server::pg {
namespace {

using api::ports::EvidenceRow;
using api::ports::IncidentFilter;
using api::ports::Page;
using api::ports::PageRequest;
using engine::IncidentNumber;
using engine::IncidentRecord;

const StoreError bad_cursor{StoreErrorCode::invalid, "the cursor does not belong to this list"};

/// A sort of the list: its column, the column's type, and the direction. Ties go by number, newest first.
struct Order {
    std::string_view column, type, direction, beyond;
};
Order order_of(IncidentFilter::Sort sort) {
    using Sort = IncidentFilter::Sort;
    switch (sort) {
        case Sort::score_desc: return {"score", "float8", "DESC", "<"};
        case Sort::score_asc: return {"score", "float8", "ASC", ">"};
        case Sort::created_desc: return {"created", "timestamptz", "DESC", "<"};
        case Sort::created_asc: return {"created", "timestamptz", "ASC", ">"};
        case Sort::updated_desc: return {"updated", "timestamptz", "DESC", "<"};
        case Sort::updated_asc: return {"updated", "timestamptz", "ASC", ">"};
        case Sort::last_activity_desc: return {"last_activity", "timestamptz", "DESC", "<"};
        case Sort::last_activity_asc: return {"last_activity", "timestamptz", "ASC", ">"};
        case Sort::number_desc: return {"number", "int8", "DESC", "<"};
        case Sort::number_asc: return {"number", "int8", "ASC", ">"};
    }
    return {"created", "timestamptz", "DESC", "<"};
}

// A null parameter leaves its condition out: parameters are planned as constants, so the condition folds away. {column}, {type}, {direction} and
// {beyond} come from the table above. `>=`/`<=` beside the exact condition lets the index begin at the place.
constexpr std::string_view page_sql = R"(
    SELECT {columns} FROM incident i
    WHERE ($1::text[] IS NULL OR i.status = ANY($1))
      AND ($2::int2[] IS NULL OR i.severity = ANY($2))
      AND ($3::text[] IS NULL OR i.classification = ANY($3))
      AND ($4::text[] IS NULL OR i.owner = ANY($4))
      AND ($5::text[] IS NULL OR i.patterns && $5)
      AND ($6::text[] IS NULL OR i.domains && $6)
      AND ($7::text[] IS NULL OR i.tactics && $7)
      AND ($8::text[] IS NULL OR i.techniques && $8)
      AND ($9::text[] IS NULL OR i.entity_keys && $9)
      AND ($10::float8 IS NULL OR i.score >= $10)
      AND ($11::timestamptz IS NULL OR i.first_activity >= $11) AND ($12::timestamptz IS NULL OR i.first_activity < $12)
      AND ($13::timestamptz IS NULL OR i.last_activity >= $13) AND ($14::timestamptz IS NULL OR i.last_activity < $14)
      AND ($15::timestamptz IS NULL OR i.created >= $15) AND ($16::timestamptz IS NULL OR i.created < $16)
      AND ($17::timestamptz IS NULL OR i.updated >= $17) AND ($18::timestamptz IS NULL OR i.updated < $18)
      AND ($19::text IS NULL OR position(lower($19) IN lower(i.title)) > 0)
      AND ($20::bool OR i.merged_into IS NULL)
      AND ($21::{type} IS NULL OR (i.{column} {beyond}= $21 AND (i.{column} {beyond} $21 OR i.number < $22::int8)))
    ORDER BY i.{column} {direction}, i.number DESC LIMIT $23)";

constexpr std::string_view find_sql = "SELECT {columns} FROM incident i WHERE i.number = $1";
constexpr const char* exists_sql = "SELECT EXISTS (SELECT FROM incident WHERE number = $1)";

constexpr std::string_view evidence_sql = R"(
    SELECT DISTINCT ON (e.time, e.source, e.source_id) {columns}
    FROM finding f JOIN finding_evidence e ON e.tenant = f.tenant AND e.finding = f.id
    WHERE f.incident = $1 AND f.state <> 'superseded'
      AND ($2::timestamptz IS NULL OR (e.time, e.source, e.source_id) > ($2, $3::text, $4::text))
    ORDER BY e.time, e.source, e.source_id, f.start_time, f.id LIMIT $5)";

constexpr const char* activity_sql = R"(
    SELECT number, position, at, actor, what, detail, line FROM incident_activity
    WHERE number = $1 AND ($2::int8 IS NULL OR (position, line) > ($2, $3::int4))
    ORDER BY position, line LIMIT $4)";

constexpr std::string_view findings_sql =
    "SELECT {columns} FROM finding f WHERE f.incident = $1 AND f.state <> 'superseded' ORDER BY f.start_time, f.id";

template <class Enum>
std::optional<std::string> word_filter(const std::vector<Enum>& values) {
    std::vector<std::string> words;
    for (const auto value : values) words.emplace_back(engine::to_string(value));
    return filter_literal(words);
}

std::optional<std::string> severity_filter(const std::vector<engine::Severity>& severities) {
    if (severities.empty()) return std::nullopt;
    std::vector<std::int64_t> numbers;
    for (const auto severity : severities) numbers.push_back(static_cast<std::int64_t>(severity));
    return array_literal(numbers);
}

std::string sort_value(const IncidentRecord& incident, std::string_view column) {
    if (column == "score") return double_text(incident.score);
    if (column == "created") return timestamp_text(incident.created);
    if (column == "updated") return timestamp_text(incident.updated);
    if (column == "last_activity") return timestamp_text(incident.last_activity);
    return std::to_string(incident.number.value());
}

StoreError no_incident(IncidentNumber number) { return {StoreErrorCode::not_found, fmt::format("there is no incident {}", number.value())}; }

StoreResult<Page<IncidentRecord>> read_page(pqxx::work& transaction, const IncidentFilter& filter, const PageRequest& request) {
    const auto order = order_of(filter.sort);
    const auto sql = fmt::format(page_sql, fmt::arg("columns", incident_columns), fmt::arg("column", order.column), fmt::arg("type", order.type),
                                 fmt::arg("direction", order.direction), fmt::arg("beyond", order.beyond));
    std::optional<std::string> value, number;
    if (!request.after.empty()) {
        const auto place = place_from(request.after, 2);
        if (!place) return bad_cursor;
        value = (*place)[0];
        number = (*place)[1];
    }
    const auto least_score = filter.score_min ? std::optional{double_text(*filter.score_min)} : std::nullopt;
    const auto title_part = filter.q.empty() ? std::nullopt : std::optional{filter.q};
    const auto rows = transaction.exec_params(
        sql, word_filter(filter.statuses), severity_filter(filter.severities), word_filter(filter.classifications), filter_literal(filter.owners),
        filter_literal(filter.patterns), filter_literal(filter.domains), filter_literal(filter.tactics), filter_literal(filter.techniques),
        filter_literal(entity_key_texts(filter.entities)), least_score, optional_timestamp_text(filter.first_activity.first),
        optional_timestamp_text(filter.first_activity.second), optional_timestamp_text(filter.last_activity.first),
        optional_timestamp_text(filter.last_activity.second), optional_timestamp_text(filter.created.first), optional_timestamp_text(filter.created.second),
        optional_timestamp_text(filter.updated.first), optional_timestamp_text(filter.updated.second), title_part, filter.include_redirected, value, number,
        static_cast<std::int64_t>(request.limit + 1));
    Page<IncidentRecord> page;
    for (const auto& row : rows) {
        if (page.items.size() == request.limit) {
            const auto& last = page.items.back();
            page.next = place_text({sort_value(last, order.column), std::to_string(last.number.value())});
            break;
        }
        page.items.push_back(incident_from(row));
    }
    return page;
}

StoreResult<Page<EvidenceRow>> read_evidence(pqxx::work& transaction, IncidentNumber number, const PageRequest& request) {
    if (!transaction.exec_params1(exists_sql, number.value())[0].as<bool>()) return no_incident(number);
    std::optional<std::string> time, source, id;
    if (!request.after.empty()) {
        const auto place = place_from(request.after, 3);
        if (!place) return bad_cursor;
        time = (*place)[0];
        source = (*place)[1];
        id = (*place)[2];
    }
    Page<EvidenceRow> page;
    for (const auto& row : transaction.exec_params(fmt::format(evidence_sql, fmt::arg("columns", evidence_columns)), number.value(), time, source, id,
                                                   static_cast<std::int64_t>(request.limit + 1))) {
        if (page.items.size() == request.limit) {
            const auto& last = page.items.back().signal.signal;
            page.next = place_text({timestamp_text(last.time), last.source, last.id});
            break;
        }
        page.items.push_back(evidence_from(row));
    }
    return page;
}

StoreResult<Page<engine::IncidentActivity>> read_activity(pqxx::work& transaction, IncidentNumber number, const PageRequest& request) {
    if (!transaction.exec_params1(exists_sql, number.value())[0].as<bool>()) return no_incident(number);
    std::optional<std::string> position, line;
    if (!request.after.empty()) {
        const auto place = place_from(request.after, 2);
        if (!place) return bad_cursor;
        position = (*place)[0];
        line = (*place)[1];
    }
    Page<engine::IncidentActivity> page;
    std::string last_line;
    for (const auto& row : transaction.exec_params(activity_sql, number.value(), position, line, static_cast<std::int64_t>(request.limit + 1))) {
        if (page.items.size() == request.limit) {
            page.next = place_text({std::to_string(page.items.back().position.value()), last_line});
            break;
        }
        page.items.push_back({number, engine::Position{row[1].as<std::int64_t>()}, timestamp_from(row[2]), row[3].c_str(), row[4].c_str(), row[5].c_str()});
        last_line = row[6].c_str();
    }
    return page;
}

}  // namespace

api::ports::Outcome<Page<IncidentRecord>> IncidentStore::page(const api::Caller& caller, const IncidentFilter& filter, const PageRequest& request) {
    return to_outcome(tenant_transaction(pool_, caller.tenant, Access::read, [&](pqxx::work& transaction) { return read_page(transaction, filter, request); }),
                      "list_incidents");
}

api::ports::Outcome<IncidentRecord> IncidentStore::find(const api::Caller& caller, IncidentNumber number) {
    return to_outcome(tenant_transaction(pool_, caller.tenant, Access::read,
                                         [&](pqxx::work& transaction) -> StoreResult<IncidentRecord> {
                                             const auto rows = transaction.exec_params(fmt::format(find_sql, fmt::arg("columns", incident_columns)), number.value());
                                             if (rows.empty()) return no_incident(number);
                                             return incident_from(rows[0]);
                                         }),
                      "find_incident");
}

api::ports::Outcome<Page<EvidenceRow>> IncidentStore::evidence(const api::Caller& caller, IncidentNumber number, const PageRequest& request) {
    return to_outcome(
        tenant_transaction(pool_, caller.tenant, Access::read, [&](pqxx::work& transaction) { return read_evidence(transaction, number, request); }),
        "incident_evidence");
}

api::ports::Outcome<Page<engine::IncidentActivity>> IncidentStore::activity(const api::Caller& caller, IncidentNumber number, const PageRequest& request) {
    return to_outcome(
        tenant_transaction(pool_, caller.tenant, Access::read, [&](pqxx::work& transaction) { return read_activity(transaction, number, request); }),
        "incident_activity");
}

api::ports::Outcome<std::vector<engine::FindingRecord>> IncidentStore::findings(const api::Caller& caller, IncidentNumber number) {
    return to_outcome(tenant_transaction(pool_, caller.tenant, Access::read,
                                         [&](pqxx::work& transaction) -> StoreResult<std::vector<engine::FindingRecord>> {
                                             if (!transaction.exec_params1(exists_sql, number.value())[0].as<bool>()) return no_incident(number);
                                             std::vector<engine::FindingRecord> findings;
                                             for (const auto& row : transaction.exec_params(fmt::format(findings_sql, fmt::arg("columns", finding_columns)), number.value())) {
                                                 findings.push_back(finding_from(row));
                                             }
                                             return findings;
                                         }),
                      "incident_findings");
}

}  // namespace catenary::server::pg
