#include "server/pg/signal_store.hpp"

#include "server/pg/place.hpp"
#include "server/pg/record_rows.hpp"
#include "server/pg/signal_rows.hpp"
#include "server/pg/sql_text.hpp"
#include "server/pg/tenant_transaction.hpp"

#include <fmt/format.h>

#include <utility>

namespace catenary::server::pg {
namespace {

using api::ports::EvidenceUse;
using api::ports::Page;
using api::ports::PageRequest;
using api::ports::SignalDetail;
using api::ports::SignalFilter;
using api::ports::StoredSignalRow;

const Statement definitions_wanted{"definitions_wanted", R"(
    SELECT id FROM def
    WHERE ($1::text[] IS NULL OR source = ANY($1)) AND ($2::text[] IS NULL OR name = ANY($2)) AND ($3::text[] IS NULL OR domain = ANY($3))
      AND ($4::text[] IS NULL OR tactics && $4) AND ($5::text[] IS NULL OR techniques && $5))"};
const Statement entity_ids{"entity_ids",
                           "SELECT e.id FROM unnest($1::text[], $2::text[]) AS w (kind, value) JOIN entity e ON e.kind = w.kind AND e.value = w.value"};
Statement page_in_order(std::string_view direction) {
    return {fmt::format("signal_page_{}", direction),
            fmt::format("SELECT {0} FROM signal_page($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) s {1} ORDER BY s.time {2}, s.key {2}", signal_columns,
                        signal_joins, direction)};
}
const Statement newest_first_page = page_in_order("DESC");
const Statement oldest_first_page = page_in_order("ASC");
const Statement signal_by_name{"signal_by_name", fmt::format("SELECT {} FROM signal_named($1, $2, $3, $4, $5) s {}", signal_columns, signal_joins)};
const Statement uses_as_evidence{"uses_as_evidence", fmt::format(R"(
    SELECT {}, f.pattern, f.incident, f.state = 'superseded' FROM finding_evidence e JOIN finding f ON f.id = e.finding
    WHERE e.source = $1 AND e.source_id = $2 ORDER BY f.start_time, f.id LIMIT 101)",
                                                                 evidence_columns)};
constexpr std::size_t most_uses = 100;

/// What the filter means in ids; `impossible`: nothing can satisfy it.
struct ResolvedFilter {
    std::optional<std::string> definitions;
    std::optional<std::string> entities;
    std::optional<std::string> severities;
    bool impossible = false;
};

std::vector<std::int64_t> ids_of(const pqxx::result& rows) {
    std::vector<std::int64_t> ids;
    for (const auto& row : rows) ids.push_back(row[0].as<std::int64_t>());
    return ids;
}

ResolvedFilter resolve(TenantTransaction& transaction, const SignalFilter& filter) {
    ResolvedFilter resolved;
    const bool by_definition =
        !filter.sources.empty() || !filter.names.empty() || !filter.domains.empty() || !filter.tactics.empty() || !filter.techniques.empty();
    if (by_definition) {
        const auto ids = ids_of(transaction.rows(definitions_wanted, filter_literal(filter.sources), filter_literal(filter.names),
                                                 filter_literal(filter.domains), filter_literal(filter.tactics), filter_literal(filter.techniques)));
        resolved.impossible = ids.empty();
        resolved.definitions = array_literal(ids);
    }
    if (!filter.entities.empty()) {
        std::vector<std::string> kinds, values;
        for (const auto& entity : filter.entities) {
            kinds.push_back(entity.kind);
            values.push_back(entity.value);
        }
        const auto ids = ids_of(transaction.rows(entity_ids, array_literal(kinds), array_literal(values)));
        resolved.impossible = resolved.impossible || ids.empty();
        resolved.entities = array_literal(ids);
    }
    if (!filter.severities.empty()) {
        std::vector<std::int64_t> codes;
        for (const auto severity : filter.severities) codes.push_back(static_cast<std::int64_t>(severity));
        resolved.severities = array_literal(codes);
    }
    return resolved;
}

std::string place_of(const SignalRow& row) { return place_text({timestamp_text(row.signal.signal.time), row.key}); }

StoreResult<Page<StoredSignalRow>> read_page(TenantTransaction& transaction, const SignalFilter& filter, const PageRequest& request,
                                             std::chrono::milliseconds patience) {
    std::optional<std::string> place_time, place_key;
    if (!request.after.empty()) {
        const auto place = place_from(request.after, 2);
        if (!place) return foreign_cursor();
        place_time = (*place)[0];
        place_key = (*place)[1];
    }
    Page<StoredSignalRow> page;
    const auto resolved = resolve(transaction, filter);
    if (resolved.impossible) return page;
    std::vector<SignalRow> rows;
    for (const auto& row : transaction.rows(filter.newest_first ? newest_first_page : oldest_first_page, filter.newest_first,
                                            optional_timestamp_text(filter.time.first).value_or("-infinity"),
                                            optional_timestamp_text(filter.time.second).value_or("infinity"), place_time, place_key, resolved.definitions,
                                            resolved.entities, resolved.severities, static_cast<std::int64_t>(request.limit + 1), patience.count())) {
        rows.push_back(signal_row_from(row));
    }
    if (!rows.empty() && rows.back().is_place) {
        page.next = place_of(rows.back());
        rows.pop_back();
    }
    if (rows.size() > request.limit) {
        rows.resize(request.limit);
        page.next = place_of(rows.back());
    }
    name_entities(transaction, rows);
    for (auto& row : rows) page.items.push_back(std::move(row.signal));
    return page;
}

/// A signal as the evidence it is or was: its leaf may be gone.
struct AsEvidence {
    std::vector<EvidenceUse> uses;
    std::optional<StoredSignalRow> signal;
};

AsEvidence evidence_of(TenantTransaction& transaction, const std::string& source, const std::string& id) {
    AsEvidence found;
    for (const auto& row : transaction.rows(uses_as_evidence, source, id)) {
        auto evidence = evidence_from(row);
        const auto extra = row.size() - 3;
        if (!row[extra + 2].as<bool>() && found.uses.size() < most_uses) {
            std::optional<engine::IncidentNumber> incident;
            if (!row[extra + 1].is_null()) incident = engine::IncidentNumber{row[extra + 1].as<std::int64_t>()};
            found.uses.push_back({evidence.finding, row[extra].c_str(), evidence.stage, incident});
        }
        found.signal = std::move(evidence.signal);
    }
    return found;
}

struct Wanted {
    const std::string& source;
    const std::string& id;
    std::optional<engine::Timestamp> time;
    std::optional<std::string> key;  ///< text of the uuid, where ingest remembers it
};

StoreResult<SignalDetail> read_one(TenantTransaction& transaction, const Wanted& wanted, std::chrono::milliseconds patience) {
    auto evidence = evidence_of(transaction, wanted.source, wanted.id);
    auto time = wanted.time;
    if (!time && evidence.signal) time = evidence.signal->signal.time;
    const auto rows = transaction.rows(signal_by_name, wanted.source, wanted.id, optional_timestamp_text(time), wanted.key, patience.count());
    SignalDetail detail{{}, std::move(evidence.uses)};
    if (!rows.empty()) {
        std::vector<SignalRow> found{signal_row_from(rows[0])};
        if (found.front().is_place) return StoreError{StoreErrorCode::too_slow, "a search for a signal took too long"};
        name_entities(transaction, found);
        detail.row = std::move(found.front().signal);
        return detail;
    }
    if (!evidence.signal) return StoreError{StoreErrorCode::not_found, "there is no signal " + wanted.source + "/" + wanted.id};
    detail.row = std::move(*evidence.signal);
    return detail;
}

}  // namespace

api::ports::Outcome<Page<StoredSignalRow>> SignalStore::page(const api::Caller& caller, const SignalFilter& filter, const PageRequest& request) {
    return to_outcome(tenant_transaction(pool_, caller.tenant, Access::read,
                                         [&](TenantTransaction& transaction) { return read_page(transaction, filter, request, patience_); }),
                      "list_signals");
}

api::ports::Outcome<SignalDetail> SignalStore::find(const api::Caller& caller, const std::string& source, const std::string& id,
                                                    std::optional<engine::Timestamp> time) {
    Wanted wanted{source, id, time, std::nullopt};
    const auto remembered = !time && keys_ != nullptr ? keys_->key_of(caller.tenant, source, id) : std::nullopt;
    if (remembered) wanted.key = fmt::format("{:016x}{:016x}", remembered->high, remembered->low);
    return to_outcome(
        tenant_transaction(pool_, caller.tenant, Access::look_up, [&](TenantTransaction& transaction) { return read_one(transaction, wanted, patience_); }),
        "find_signal");
}

}  // namespace catenary::server::pg
