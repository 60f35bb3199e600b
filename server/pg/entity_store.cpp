#include "server/pg/entity_store.hpp"

#include "api/json/control_json.hpp"
#include "engine/model/canonical.hpp"
#include "server/pg/control_entry.hpp"
#include "server/pg/place.hpp"
#include "server/pg/sql_text.hpp"
#include "server/pg/tenant_transaction.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <string_view>

namespace catenary::server::pg {
namespace {

using api::ports::EntityFilter;
using api::ports::EntityRow;
using api::ports::Page;
using api::ports::PageRequest;
using Steady = std::chrono::steady_clock;

constexpr std::int64_t most_noted = 100'000;

const Statement next_kind{"next_entity_kind", "SELECT kind FROM entity WHERE kind > $1 ORDER BY kind LIMIT 1"};
// What a list says of the entities of one kind whose values a query names in order: $1 is the kind, {} selects the values.
constexpr std::string_view rows_sql = R"(
    SELECT w.value, e.identifies, {columns}
    FROM ({values}) w
    JOIN LATERAL (SELECT identifies FROM entity WHERE kind = $1 AND value = w.value LIMIT 1) e ON true
    LEFT JOIN LATERAL (SELECT * FROM entity_note WHERE kind = $1 AND value = w.value LIMIT 1) n ON true
    ORDER BY w.value)";
// A text that starts with the prefix is not before it, and before what follows it by the last character there is. At most $4 values.
constexpr std::string_view range_sql =
    R"(kind = $1 AND value > $2 AND value >= $3 AND ($3 = '' OR value < $3 || U&'\+10FFFF') AND starts_with(value, $3) ORDER BY value LIMIT $4)";
constexpr std::string_view all_sql = "SELECT value FROM entity WHERE {range}";
// With filters each alternative is walked by itself along its index, and what they find merged.
constexpr std::string_view tagged_sql = R"(
    SELECT DISTINCT f.value FROM unnest($5::text[]) AS t (tag) CROSS JOIN LATERAL (SELECT value FROM entity_tag WHERE tag = t.tag AND {range}) f
    ORDER BY f.value LIMIT $4)";
constexpr std::string_view rated_sql = R"(
    SELECT DISTINCT f.value FROM unnest($5::int2[]) AS c (level) CROSS JOIN LATERAL (SELECT value FROM entity_note WHERE criticality = c.level AND {range}) f
    ORDER BY f.value LIMIT $4)";
constexpr std::string_view tagged_and_rated_sql = R"(
    SELECT DISTINCT f.value FROM unnest($5::text[]) AS t (tag) CROSS JOIN unnest($6::int2[]) AS c (level)
    CROSS JOIN LATERAL (SELECT value FROM entity_tag WHERE tag = t.tag AND criticality = c.level AND {range}) f
    ORDER BY f.value LIMIT $4)";

constexpr std::string_view note_columns = "n.tags, n.criticality, n.facts, n.link, n.revision, n.changed, n.changed_by";
Statement entities_listed(std::string_view name, std::string_view values) {
    return {fmt::format("entities_{}", name),
            fmt::format(rows_sql, fmt::arg("columns", note_columns), fmt::arg("values", fmt::format(fmt::runtime(values), fmt::arg("range", range_sql))))};
}
const Statement all_entities = entities_listed("all", all_sql);
const Statement tagged_entities = entities_listed("tagged", tagged_sql);
const Statement rated_entities = entities_listed("rated", rated_sql);
const Statement tagged_and_rated_entities = entities_listed("tagged_and_rated", tagged_and_rated_sql);
const Statement entity_by_key{"entity_by_key", fmt::format(R"(
    SELECT e.value, e.identifies, {} FROM entity e LEFT JOIN entity_note n ON n.tenant = e.tenant AND n.kind = e.kind AND n.value = e.value
    WHERE e.kind = $1 AND e.value = $2)",
                                                           note_columns)};
constexpr const char* is_noted_sql = "SELECT revision FROM entity_note WHERE kind = $1 AND value = $2";
constexpr const char* noted_sql = "SELECT count(*) FROM (SELECT FROM entity_note LIMIT $1) n";
constexpr const char* mention_sql = "SELECT mention_entity($1, $2, $3)";
constexpr const char* note_sql = R"(
    INSERT INTO entity_note AS n (tenant, kind, value, tags, criticality, facts, link, revision, position, changed, changed_by)
    VALUES ($1, $2, $3, $4::text[], $5, $6, $7, 1, $8, clock_timestamp(), $9)
    ON CONFLICT (tenant, kind, value) DO UPDATE SET tags = EXCLUDED.tags, criticality = EXCLUDED.criticality, facts = EXCLUDED.facts, link = EXCLUDED.link,
        revision = n.revision + 1, position = EXCLUDED.position, changed = EXCLUDED.changed, changed_by = EXCLUDED.changed_by)";
// Tags are found by what the note says of them: an index by entity would tempt the planner to walk it for a list by tag.
constexpr const char* untag_sql =
    "DELETE FROM entity_tag WHERE kind = $1 AND value = $2 AND tag = ANY ((SELECT tags FROM entity_note WHERE kind = $1 AND value = $2)::text[])";
constexpr const char* tag_sql =
    "INSERT INTO entity_tag (tenant, tag, kind, value, criticality) SELECT $1::int4, tag, $2::text, $3::text, $4::int2 FROM unnest($5::text[]) AS t (tag)";

std::optional<int> number_of(const std::optional<api::entities::Criticality>& criticality) {
    return criticality ? std::optional{static_cast<int>(*criticality)} : std::nullopt;
}

/// Reads value, identifies and `note_columns`.
EntityRow entity_from(const std::string& kind, const pqxx::row& row) {
    EntityRow entity{{kind, row[0].c_str()}, row[1].as<bool>()};
    if (row[6].is_null()) return entity;  // no notes
    entity.notes.tags = text_array(row[2]);
    if (!row[3].is_null()) entity.notes.criticality = api::entities::criticality_of(row[3].as<int>());
    entity.notes.facts_json = row[4].c_str();
    const auto link = engine::link_rule_from(row[5].c_str());
    if (!link) throw std::invalid_argument("unknown word in a row: " + std::string{row[5].c_str()});
    entity.notes.link = *link;
    entity.revision = row[6].as<std::int64_t>();
    entity.changed = timestamp_from(row[7]);
    entity.changed_by = row[8].c_str();
    return entity;
}

/// One kind's part of a page: the rows after `value`, at most `most`.
pqxx::result read_kind(TenantTransaction& transaction, const EntityFilter& filter, const std::string& kind, const std::string& value, std::size_t most) {
    const auto prefix = engine::canonical_part(kind, filter.prefix);
    const auto limit = static_cast<std::int64_t>(most);
    std::vector<std::int64_t> levels;
    for (const auto level : filter.criticalities) levels.push_back(static_cast<std::int64_t>(level));
    if (filter.tags.empty() && levels.empty()) return transaction.rows(all_entities, kind, value, prefix, limit);
    if (levels.empty()) return transaction.rows(tagged_entities, kind, value, prefix, limit, array_literal(filter.tags));
    if (filter.tags.empty()) return transaction.rows(rated_entities, kind, value, prefix, limit, array_literal(levels));
    return transaction.rows(tagged_and_rated_entities, kind, value, prefix, limit, array_literal(filter.tags), array_literal(levels));
}

EntityRow read_one(TenantTransaction& transaction, const engine::EntityKey& key) {
    return entity_from(key.kind, transaction.rows(entity_by_key, key.kind, key.value)[0]);
}

/// The kinds a list goes through: those asked for, or all there are.
class Kinds {
public:
    Kinds(TenantTransaction& transaction, std::vector<std::string> wanted) : transaction_{transaction}, wanted_{std::move(wanted)}, any_{wanted_.empty()} {
        std::ranges::sort(wanted_);
    }
    std::optional<std::string> after(const std::string& kind) {
        if (any_) {
            const auto rows = transaction_.rows(next_kind, kind);
            if (rows.empty()) return std::nullopt;
            return rows[0][0].c_str();
        }
        const auto next = std::ranges::upper_bound(wanted_, kind);
        if (next == wanted_.end()) return std::nullopt;
        return *next;
    }

private:
    TenantTransaction& transaction_;
    std::vector<std::string> wanted_;
    bool any_;
};

StoreResult<Page<EntityRow>> read_page(TenantTransaction& transaction, const EntityFilter& filter, const PageRequest& request, Steady::time_point deadline) {
    std::optional<std::string> kind;
    std::string value;
    Kinds kinds{transaction, filter.kinds};
    if (!request.after.empty()) {
        const auto place = place_from(request.after, 2);
        if (!place) return foreign_cursor();
        kind = (*place)[0];
        value = (*place)[1];
    } else {
        kind = kinds.after("");
    }
    Page<EntityRow> page;
    for (; kind; kind = kinds.after(*kind), value.clear()) {
        for (const auto& row : read_kind(transaction, filter, *kind, value, request.limit + 1 - page.items.size())) {
            if (page.items.size() == request.limit) {
                const auto& last = page.items.back().key;
                page.next = place_text({last.kind, last.value});
                return page;
            }
            page.items.push_back(entity_from(*kind, row));
        }
        if (Steady::now() < deadline) continue;
        if (const auto next = kinds.after(*kind)) page.next = place_text({*next, ""});
        return page;
    }
    return page;
}

}  // namespace

api::ports::Outcome<Page<EntityRow>> EntityStore::page(const api::Caller& caller, const EntityFilter& filter, const PageRequest& request) {
    const auto deadline = Steady::now() + patience_;
    return to_outcome(tenant_transaction(pool_, caller.tenant, Access::read,
                                         [&](TenantTransaction& transaction) { return read_page(transaction, filter, request, deadline); }),
                      "list_entities");
}

api::ports::Outcome<EntityRow> EntityStore::find(const api::Caller& caller, const engine::EntityKey& key) {
    return to_outcome(tenant_transaction(pool_, caller.tenant, Access::read,
                                         [&](TenantTransaction& transaction) -> StoreResult<EntityRow> {
                                             const auto rows = transaction.rows(entity_by_key, key.kind, key.value);
                                             if (rows.empty())
                                                 return StoreError{StoreErrorCode::not_found, "no signal has mentioned " + key.kind + ":" + key.value};
                                             return entity_from(key.kind, rows[0]);
                                         }),
                      "find_entity");
}

api::ports::Outcome<EntityRow> EntityStore::change(const api::Caller& caller, const EntityRow& wanted, std::optional<std::int64_t> revision) {
    const auto& [kind, value] = wanted.key;
    const auto& notes = wanted.notes;
    const auto body = api::json::entity_control_text(wanted);
    auto changed = tenant_transaction(pool_, caller, Access::write, [&](TenantTransaction& transaction) -> StoreResult<EntityRow> {
        // Counted before the log is held: a few beyond the bound do no harm, holding the log does.
        const bool is_first = transaction.exec_params(is_noted_sql, kind, value).empty();
        if (is_first && transaction.exec_params1(noted_sql, most_noted)[0].as<std::int64_t>() == most_noted) {
            return StoreError{StoreErrorCode::invalid, fmt::format("there are notes on {} entities already, and no more are kept", most_noted)};
        }
        const auto position = append_control(transaction, caller.tenant, "entity", body);
        const auto known = transaction.exec_params(is_noted_sql, kind, value);
        const auto current = known.empty() ? std::int64_t{0} : known[0][0].as<std::int64_t>();
        if (revision && *revision != current) {
            return StoreError{StoreErrorCode::stale, fmt::format("what is held of the entity has revision {} by now", current)};
        }
        const auto tags = array_literal(notes.tags);
        const auto criticality = number_of(notes.criticality);
        transaction.exec_params(mention_sql, kind, value, wanted.identifies);
        transaction.exec_params(untag_sql, kind, value);
        transaction.exec_params(note_sql, caller.tenant.value(), kind, value, tags, criticality, notes.facts_json, engine::to_string(notes.link),
                                position.value(), caller.key_id);
        transaction.exec_params(tag_sql, caller.tenant.value(), kind, value, criticality, tags);
        return read_one(transaction, wanted.key);
    });
    if (changed && appended_) appended_();
    return to_outcome(std::move(changed), "change_entity");
}

}  // namespace catenary::server::pg
