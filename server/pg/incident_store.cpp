#include "server/pg/incident_store.hpp"

#include "server/pg/place.hpp"
#include "server/pg/record_rows.hpp"
#include "server/pg/sql_text.hpp"
#include "server/pg/tenant_transaction.hpp"

#include <fmt/format.h>

#include <algorithm>
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

/// A column to sort by, its type and how its value is written in a place.
struct SortColumn {
    std::string_view name, type;
    std::string (*text)(const IncidentRecord&);
};
SortColumn sort_column(IncidentFilter::Column column) {
    using Column = IncidentFilter::Column;
    using Record = IncidentRecord;
    switch (column) {
        case Column::score: return {"score", "float8", [](const Record& i) { return double_text(i.score); }};
        case Column::severity: return {"severity", "int2", [](const Record& i) { return std::to_string(static_cast<int>(i.severity)); }};
        case Column::created: return {"created", "timestamptz", [](const Record& i) { return timestamp_text(i.created); }};
        case Column::updated: return {"updated", "timestamptz", [](const Record& i) { return timestamp_text(i.updated); }};
        case Column::first_activity: return {"first_activity", "timestamptz", [](const Record& i) { return timestamp_text(i.first_activity); }};
        case Column::last_activity: return {"last_activity", "timestamptz", [](const Record& i) { return timestamp_text(i.last_activity); }};
        case Column::signal_count: return {"signal_count", "int8", [](const Record& i) { return std::to_string(i.signal_count); }};
        case Column::number: break;
    }
    return {"number", "int8", [](const Record& i) { return std::to_string(i.number.value()); }};
}

/// The filter's keys, and the number where it is not among them: a total order.
std::vector<IncidentFilter::Key> total_order(const IncidentFilter& filter) {
    auto keys = filter.sort;
    const auto by_number = [](const auto& key) { return key.column == IncidentFilter::Column::number; };
    const auto number = std::find_if(keys.begin(), keys.end(), by_number);
    if (number != keys.end()) keys.erase(number + 1, keys.end());  // nothing ties beyond it
    else keys.push_back({IncidentFilter::Column::number, true});
    return keys;
}

std::string order_sql(const std::vector<IncidentFilter::Key>& keys) {
    std::string sql;
    for (const auto& key : keys) sql += fmt::format("{}i.{} {}", sql.empty() ? "" : ", ", sort_column(key.column).name, key.descending ? "DESC" : "ASC");
    return sql;
}

/// The rows behind the place given by parameters `first`, `first` + 1 …, as nested conditions: the outermost `<=` lets an index begin there.
std::string beyond_sql(const std::vector<IncidentFilter::Key>& keys, std::size_t first) {
    std::string sql;
    for (std::size_t i = keys.size(); i-- > 0;) {
        const auto column = sort_column(keys[i].column);
        const auto place = fmt::format("${}::{}", first + i, column.type);
        const auto beyond = keys[i].descending ? "<" : ">";
        if (sql.empty()) sql = fmt::format("i.{} {} {}", column.name, beyond, place);
        else sql = fmt::format("(i.{0} {1}= {2} AND (i.{0} {1} {2} OR ({3})))", column.name, beyond, place, sql);
    }
    return sql;
}

// A null parameter leaves its condition out: parameters are planned as constants, so the condition folds away. {order} and {beyond} come from
// the functions above.
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
      AND ($21::text[] IS NULL OR i.labels && $21)
      AND ({beyond})
    ORDER BY {order} LIMIT $22)";

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
    WHERE number = $1 AND ($2::int8 IS NULL OR (position, line) > ($2, $3::int4)) AND ($5::text[] IS NULL OR what = ANY($5))
    ORDER BY position, line LIMIT $4)";

// Whoever shares an entity is found by its index. Patterns and techniques have none: of the newest incidents only those are looked at.
constexpr std::string_view alike_sql = R"(
    WITH by_entity AS (SELECT {columns} FROM incident i
                       WHERE i.entity_keys && $2 AND i.number <> $1 AND i.merged_into IS NULL ORDER BY i.last_activity DESC, i.number DESC LIMIT $5),
         newest AS (SELECT * FROM incident WHERE merged_into IS NULL AND number <> $1 ORDER BY last_activity DESC, number DESC LIMIT 5000),
         by_kind AS (SELECT {columns} FROM newest i
                     WHERE (i.patterns && $3 OR i.techniques && $4) AND NOT i.entity_keys && $2 ORDER BY i.last_activity DESC, i.number DESC LIMIT $5)
    SELECT * FROM by_entity UNION ALL SELECT * FROM by_kind)";

constexpr std::string_view findings_sql = "SELECT {columns} FROM finding f WHERE f.incident = $1 AND f.state <> 'superseded' ORDER BY f.start_time, f.id";

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

StoreError no_incident(IncidentNumber number) { return {StoreErrorCode::not_found, fmt::format("there is no incident {}", number.value())}; }

StoreResult<Page<IncidentRecord>> read_page(pqxx::work& transaction, const IncidentFilter& filter, const PageRequest& request) {
    constexpr std::size_t fixed_parameters = 22;
    const auto keys = total_order(filter);
    std::vector<std::string> place;
    if (!request.after.empty()) {
        auto parts = place_from(request.after, keys.size());
        if (!parts) return bad_cursor;
        place = *std::move(parts);
    }
    const auto sql = fmt::format(page_sql, fmt::arg("columns", incident_columns), fmt::arg("order", order_sql(keys)),
                                 fmt::arg("beyond", place.empty() ? std::string{"true"} : beyond_sql(keys, fixed_parameters + 1)));
    const auto least_score = filter.score_min ? std::optional{double_text(*filter.score_min)} : std::nullopt;
    const auto title_part = filter.q.empty() ? std::nullopt : std::optional{filter.q};
    const auto rows = transaction.exec_params(
        sql, word_filter(filter.statuses), severity_filter(filter.severities), word_filter(filter.classifications), filter_literal(filter.owners),
        filter_literal(filter.patterns), filter_literal(filter.domains), filter_literal(filter.tactics), filter_literal(filter.techniques),
        filter_literal(entity_key_texts(filter.entities)), least_score, optional_timestamp_text(filter.first_activity.first),
        optional_timestamp_text(filter.first_activity.second), optional_timestamp_text(filter.last_activity.first),
        optional_timestamp_text(filter.last_activity.second), optional_timestamp_text(filter.created.first), optional_timestamp_text(filter.created.second),
        optional_timestamp_text(filter.updated.first), optional_timestamp_text(filter.updated.second), title_part, filter.include_redirected,
        filter_literal(filter.labels), static_cast<std::int64_t>(request.limit + 1), pqxx::prepare::make_dynamic_params(place));
    Page<IncidentRecord> page;
    for (const auto& row : rows) {
        if (page.items.size() == request.limit) {
            std::vector<std::string> parts;
            for (const auto& key : keys) parts.push_back(sort_column(key.column).text(page.items.back()));
            page.next = place_text(parts);
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

StoreResult<Page<engine::IncidentActivity>> read_activity(pqxx::work& transaction, IncidentNumber number, const std::vector<std::string>& kinds,
                                                          const PageRequest& request) {
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
    for (const auto& row :
         transaction.exec_params(activity_sql, number.value(), position, line, static_cast<std::int64_t>(request.limit + 1), filter_literal(kinds))) {
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
                                             const auto rows =
                                                 transaction.exec_params(fmt::format(find_sql, fmt::arg("columns", incident_columns)), number.value());
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

api::ports::Outcome<Page<engine::IncidentActivity>> IncidentStore::activity(const api::Caller& caller, IncidentNumber number,
                                                                            const std::vector<std::string>& kinds, const PageRequest& request) {
    return to_outcome(
        tenant_transaction(pool_, caller.tenant, Access::read, [&](pqxx::work& transaction) { return read_activity(transaction, number, kinds, request); }),
        "incident_activity");
}

api::ports::Outcome<std::vector<engine::FindingRecord>> IncidentStore::findings(const api::Caller& caller, IncidentNumber number) {
    return to_outcome(tenant_transaction(pool_, caller.tenant, Access::read,
                                         [&](pqxx::work& transaction) -> StoreResult<std::vector<engine::FindingRecord>> {
                                             if (!transaction.exec_params1(exists_sql, number.value())[0].as<bool>()) return no_incident(number);
                                             std::vector<engine::FindingRecord> findings;
                                             for (const auto& row :
                                                  transaction.exec_params(fmt::format(findings_sql, fmt::arg("columns", finding_columns)), number.value())) {
                                                 findings.push_back(finding_from(row));
                                             }
                                             return findings;
                                         }),
                      "incident_findings");
}

api::ports::Outcome<std::vector<IncidentRecord>> IncidentStore::alike(const api::Caller& caller, const IncidentRecord& incident, std::size_t most) {
    return to_outcome(tenant_transaction(pool_, caller.tenant, Access::read,
                                         [&](pqxx::work& transaction) {
                                             std::vector<IncidentRecord> found;
                                             for (const auto& row : transaction.exec_params(
                                                      fmt::format(alike_sql, fmt::arg("columns", incident_columns)), incident.number.value(),
                                                      array_literal(entity_key_texts(incident.entities)), array_literal(incident.patterns),
                                                      array_literal(incident.techniques), static_cast<std::int64_t>(most))) {
                                                 found.push_back(incident_from(row));
                                             }
                                             return found;
                                         }),
                      "similar_incidents");
}

}  // namespace catenary::server::pg
