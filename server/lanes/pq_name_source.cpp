#include "server/lanes/pq_name_source.hpp"

#include "server/ingest/pq_values.hpp"

namespace catenary::server {
namespace {

constexpr const char* definitions_sql = "SELECT id, domain, source, name, tactics, techniques FROM def WHERE id = ANY ($1::int4[])";
constexpr const char* titles_sql = "SELECT id, title FROM title WHERE id = ANY ($1::int4[])";
constexpr const char* entities_sql = "SELECT id, kind, value, identifies FROM entity WHERE id = ANY ($1::int8[])";

}  // namespace

NameSource::Found<std::int32_t, StoredDefinition> PqNameSource::definitions(const std::vector<std::int32_t>& ids) {
    const std::vector<PqParameter> parameters{int4_array(ids)};
    const auto rows = connection_.query(definitions_sql, parameters);
    Found<std::int32_t, StoredDefinition> found;
    for (int row = 0; row < rows.rows(); ++row) {
        found.emplace_back(rows.int4(row, 0), StoredDefinition{std::string{rows.text(row, 1)}, std::string{rows.text(row, 2)}, std::string{rows.text(row, 3)},
                                                               read_text_array(rows.text(row, 4)), read_text_array(rows.text(row, 5))});
    }
    return found;
}

NameSource::Found<std::int32_t, std::string> PqNameSource::titles(const std::vector<std::int32_t>& ids) {
    const std::vector<PqParameter> parameters{int4_array(ids)};
    const auto rows = connection_.query(titles_sql, parameters);
    Found<std::int32_t, std::string> found;
    for (int row = 0; row < rows.rows(); ++row) found.emplace_back(rows.int4(row, 0), rows.text(row, 1));
    return found;
}

NameSource::Found<std::int64_t, StoredEntity> PqNameSource::entities(const std::vector<std::int64_t>& ids) {
    const std::vector<PqParameter> parameters{int8_array(ids)};
    const auto rows = connection_.query(entities_sql, parameters);
    Found<std::int64_t, StoredEntity> found;
    for (int row = 0; row < rows.rows(); ++row) {
        const bool identifies = rows.text(row, 3) != std::string_view{"\0", 1};
        found.emplace_back(rows.int8(row, 0), StoredEntity{std::string{rows.text(row, 1)}, std::string{rows.text(row, 2)}, identifies});
    }
    return found;
}

}  // namespace catenary::server
