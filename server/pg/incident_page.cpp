#include "server/pg/incident_page.hpp"

#include "server/pg/place.hpp"
#include "server/pg/record_rows.hpp"
#include "server/pg/sql_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace catenary::server::pg {
namespace {

using api::ports::IncidentFilter;
using api::ports::Page;
using api::ports::PageRequest;
using engine::IncidentRecord;

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

/// The WHERE clause of a filter and its parameters: only what was asked for is in it, so that the planner sees what an index can serve.
class Conditions {
public:
    /// `sql` with the number of its parameter for {}; nothing where there is no value.
    void add(std::string_view sql, std::optional<std::string> value) {
        if (!value) return;
        parameters_.push_back(*std::move(value));
        add(fmt::format(fmt::runtime(sql), parameters_.size()));
    }
    void add(std::string sql) { sql_ += (sql_.empty() ? " WHERE " : " AND ") + std::move(sql); }
    void add_parameters(std::vector<std::string> values) { std::move(values.begin(), values.end(), std::back_inserter(parameters_)); }
    const std::string& sql() const { return sql_; }
    const std::vector<std::string>& parameters() const { return parameters_; }

private:
    std::string sql_;
    std::vector<std::string> parameters_;
};

Conditions conditions_of(const IncidentFilter& filter) {
    Conditions conditions;
    conditions.add("i.status = ANY(${}::text[])", word_filter(filter.statuses));
    conditions.add("i.severity = ANY(${}::int2[])", severity_filter(filter.severities));
    conditions.add("i.classification = ANY(${}::text[])", word_filter(filter.classifications));
    conditions.add("i.owner = ANY(${}::text[])", filter_literal(filter.owners));
    conditions.add("i.patterns && ${}::text[]", filter_literal(filter.patterns));
    conditions.add("i.domains && ${}::text[]", filter_literal(filter.domains));
    conditions.add("i.tactics && ${}::text[]", filter_literal(filter.tactics));
    conditions.add("i.techniques && ${}::text[]", filter_literal(filter.techniques));
    conditions.add("i.entity_keys && ${}::text[]", filter_literal(entity_key_texts(filter.entities)));
    conditions.add("i.labels && ${}::text[]", filter_literal(filter.labels));
    conditions.add("i.score >= ${}::float8", filter.score_min ? std::optional{double_text(*filter.score_min)} : std::nullopt);
    const auto range = [&](std::string_view column, const api::ports::TimeRange& times) {
        conditions.add(fmt::format("i.{} >= ${{}}::timestamptz", column), optional_timestamp_text(times.first));
        conditions.add(fmt::format("i.{} < ${{}}::timestamptz", column), optional_timestamp_text(times.second));
    };
    range("first_activity", filter.first_activity);
    range("last_activity", filter.last_activity);
    range("created", filter.created);
    range("updated", filter.updated);
    conditions.add("position(lower(${}) IN lower(i.title)) > 0", filter.q.empty() ? std::nullopt : std::optional{filter.q});
    if (!filter.include_redirected) conditions.add("i.merged_into IS NULL");
    return conditions;
}

}  // namespace

StoreResult<Page<IncidentRecord>> read_incident_page(TenantTransaction& transaction, const IncidentFilter& filter, const PageRequest& request) {
    const auto keys = total_order(filter);
    auto conditions = conditions_of(filter);
    const bool is_plain = conditions.parameters().empty() && filter.sort.size() <= 1 && request.after.empty();
    if (!request.after.empty()) {
        auto place = place_from(request.after, keys.size());
        if (!place) return foreign_cursor();
        conditions.add(beyond_sql(keys, conditions.parameters().size() + 1));
        conditions.add_parameters(*std::move(place));
    }
    // What people open first is prepared; of all the filters there could be too many.
    const auto order = order_sql(keys);
    const auto sql = fmt::format("SELECT {} FROM incident i{} ORDER BY {} LIMIT {}", incident_columns, conditions.sql(), order,
                                 is_plain ? "$1" : fmt::format("{}", request.limit + 1));
    const auto limit = std::to_string(request.limit + 1);
    const auto rows = is_plain ? transaction.rows(Statement{fmt::format("incidents {} {}", filter.include_redirected ? "all" : "own", order), sql}, limit)
                               : transaction.exec_params(sql, pqxx::prepare::make_dynamic_params(conditions.parameters()));
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

}  // namespace catenary::server::pg
