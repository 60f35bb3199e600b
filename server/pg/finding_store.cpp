#include "server/pg/finding_store.hpp"

#include "server/pg/place.hpp"
#include "server/pg/record_rows.hpp"
#include "server/pg/sql_text.hpp"
#include "server/pg/tenant_transaction.hpp"

#include <fmt/format.h>

#include <map>

namespace catenary::server::pg {
namespace {

using api::ports::FindingFilter;
using api::ports::FindingWithEvidence;
using api::ports::Page;
using api::ports::PageRequest;

constexpr std::string_view page_sql = R"(
    SELECT {columns} FROM finding f
    WHERE ($1::text[] IS NULL OR f.pattern = ANY($1))
      AND ($2::text[] IS NULL OR f.principal_keys && $2)
      AND ($3::int8 IS NULL OR f.incident = $3)
      AND f.state = ANY($4::text[])
      AND f.mode = $5
      AND ($6::timestamptz IS NULL OR (f.start_time, f.id) < ($6, $7::uuid))
    ORDER BY f.start_time DESC, f.id DESC LIMIT $8)";
const Statement finding_by_id{"finding_by_id", fmt::format("SELECT {} FROM finding f WHERE f.id = $1::uuid", finding_columns)};
const Statement first_evidence{"first_evidence", R"(
    SELECT w.id, e.time, e.source, e.source_id, e.stage
    FROM unnest($1::uuid[]) AS w (id)
    CROSS JOIN LATERAL (SELECT time, source, source_id, stage FROM finding_evidence
                        WHERE finding = w.id ORDER BY time, source, source_id LIMIT $2) e
    ORDER BY w.id, e.time, e.source, e.source_id)"};

void add_evidence(TenantTransaction& transaction, std::vector<FindingWithEvidence>& findings, int most) {
    if (findings.empty()) return;
    std::vector<std::string> ids;
    std::map<std::string, FindingWithEvidence*> by_id;
    for (auto& finding : findings) {
        ids.push_back(uuid_text(finding.record.id.value()));
        by_id[ids.back()] = &finding;
    }
    for (const auto& row : transaction.rows(first_evidence, array_literal(ids), most)) {
        const auto found = by_id.find(row[0].c_str());
        if (found == by_id.end()) continue;
        found->second->evidence.emplace_back(engine::SignalRef{timestamp_from(row[1]), row[2].c_str(), row[3].c_str()}, row[4].c_str());
    }
}

StoreResult<Page<FindingWithEvidence>> read_page(TenantTransaction& transaction, const FindingFilter& filter, const PageRequest& request, int most_evidence) {
    std::optional<std::string> start, id;
    if (!request.after.empty()) {
        const auto place = place_from(request.after, 2);
        if (!place) return foreign_cursor();
        start = (*place)[0];
        id = (*place)[1];
    }
    const auto incident = filter.incident ? std::optional{filter.incident->value()} : std::nullopt;
    std::vector<std::string> states;
    for (const auto state : filter.states) states.emplace_back(engine::to_string(state));
    Page<FindingWithEvidence> page;
    for (const auto& row : transaction.exec_params(fmt::format(page_sql, fmt::arg("columns", finding_columns)), filter_literal(filter.patterns),
                                                   filter_literal(entity_key_texts(filter.entities)), incident, array_literal(states),
                                                   engine::to_string(filter.flighting ? engine::Mode::flighting : engine::Mode::production), start, id,
                                                   static_cast<std::int64_t>(request.limit + 1))) {
        if (page.items.size() == request.limit) {
            const auto& last = page.items.back().record;
            page.next = place_text({timestamp_text(last.start), uuid_text(last.id.value())});
            break;
        }
        page.items.push_back({finding_from(row), {}});
    }
    add_evidence(transaction, page.items, most_evidence);
    return page;
}

StoreResult<FindingWithEvidence> read_one(TenantTransaction& transaction, const engine::FindingId& id, int most_evidence) {
    const auto rows = transaction.rows(finding_by_id, uuid_text(id.value()));
    if (rows.empty()) return StoreError{StoreErrorCode::not_found, "there is no finding " + uuid_text(id.value())};
    std::vector<FindingWithEvidence> found{{finding_from(rows[0]), {}}};
    add_evidence(transaction, found, most_evidence);
    return std::move(found.front());
}

}  // namespace

api::ports::Outcome<Page<FindingWithEvidence>> FindingStore::page(const api::Caller& caller, const FindingFilter& filter, const PageRequest& request) {
    auto page = to_outcome(tenant_transaction(pool_, caller.tenant, Access::read,
                                              [&](TenantTransaction& transaction) { return read_page(transaction, filter, request, most_evidence_); }),
                           "list_findings");
    if (page) count_cut_short(caller.tenant, page->items);
    return page;
}

api::ports::Outcome<FindingWithEvidence> FindingStore::find(const api::Caller& caller, const engine::FindingId& id) {
    auto found = to_outcome(
        tenant_transaction(pool_, caller.tenant, Access::read, [&](TenantTransaction& transaction) { return read_one(transaction, id, most_evidence_); }),
        "find_finding");
    if (found) count_cut_short(caller.tenant, {&*found, 1});
    return found;
}

void FindingStore::count_cut_short(engine::TenantId tenant, std::span<const FindingWithEvidence> findings) {
    const auto is_cut_short = [](const FindingWithEvidence& one) { return static_cast<std::int64_t>(one.evidence.size()) < one.record.evidence_total; };
    if (const auto many = std::ranges::count_if(findings, is_cut_short); many > 0) cut_short_.add(tenant, many);
}

}  // namespace catenary::server::pg
