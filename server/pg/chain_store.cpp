#include "server/pg/chain_store.hpp"

#include "api/json/record_text.hpp"
#include "server/pg/place.hpp"
#include "server/pg/record_rows.hpp"
#include "server/pg/sql_text.hpp"
#include "server/pg/tenant_transaction.hpp"

#include <stdexcept>

namespace catenary::server::pg {
namespace {

using api::ports::NearMissFilter;
using api::ports::NearMissRow;
using api::ports::Page;
using api::ports::PageRequest;

// The lane deletes once a day of event time; what is over for longer is left out before.
constexpr const char* page_sql = R"(
    SELECT m.id, m.pattern, m.version, m.mode, m.entity, m.reached, m.missing, m.start_time, m.end_time, m.until_time
    FROM near_miss m
    WHERE m.until_time >= coalesce((SELECT watermark FROM tenant_status), '-infinity') - interval '30 days'
      AND ($1::text[] IS NULL OR m.pattern = ANY($1))
      AND ($2::text[] IS NULL OR m.entity_key = ANY($2))
      AND ($3::text[] IS NULL OR m.missing = ANY($3))
      AND ($4::timestamptz IS NULL OR m.until_time >= $4)
      AND ($5::timestamptz IS NULL OR m.until_time < $5)
      AND m.mode = $6
      AND ($7::timestamptz IS NULL OR (m.until_time, m.id) < ($7, $8::uuid))
    ORDER BY m.until_time DESC, m.id DESC LIMIT $9)";

NearMissRow near_miss_from(const pqxx::row& row) {
    NearMissRow miss;
    miss.id = row[0].c_str();
    miss.record.pattern = row[1].c_str();
    miss.record.version = row[2].as<std::int32_t>();
    miss.record.mode = std::string_view{row[3].c_str()} == engine::to_string(engine::Mode::flighting) ? engine::Mode::flighting : engine::Mode::production;
    const auto entity = api::json::entity_keys_from_text(row[4].c_str());
    if (entity.size() != 1) throw std::invalid_argument("a near miss has one entity");
    miss.record.entity = entity.front();
    miss.record.reached = api::json::chain_stages_from_text(row[5].c_str());
    miss.record.missing = row[6].c_str();
    miss.record.start = timestamp_from(row[7]);
    miss.record.end = timestamp_from(row[8]);
    miss.record.until = timestamp_from(row[9]);
    return miss;
}

StoreResult<Page<NearMissRow>> read_page(TenantTransaction& transaction, const NearMissFilter& filter, const PageRequest& request) {
    std::optional<std::string> until, id;
    if (!request.after.empty()) {
        const auto place = place_from(request.after, 2);
        if (!place) return foreign_cursor();
        until = (*place)[0];
        id = (*place)[1];
    }
    Page<NearMissRow> page;
    const auto* mode = engine::to_string(filter.flighting ? engine::Mode::flighting : engine::Mode::production);
    for (const auto& row :
         transaction.exec_params(page_sql, filter_literal(filter.patterns), filter_literal(entity_key_texts(filter.entities)), filter_literal(filter.missing),
                                 optional_timestamp_text(filter.until.first), optional_timestamp_text(filter.until.second), mode, until, id,
                                 static_cast<std::int64_t>(request.limit + 1))) {
        if (page.items.size() == request.limit) {
            page.next = place_text({timestamp_text(page.items.back().record.until), page.items.back().id});
            break;
        }
        page.items.push_back(near_miss_from(row));
    }
    return page;
}

api::ports::Failure cannot_ask() {
    return {api::ports::FailureCode::unavailable,
            "the engine cannot be asked now: this server has just begun to read its log, or is asked too much; try again"};
}

}  // namespace

api::ports::Outcome<engine::PartialChains> ChainStore::partials(const api::Caller& caller, const engine::PartialWanted& wanted) {
    auto found = engine_.partials(caller.tenant, wanted);
    if (!found) return cannot_ask();
    return *std::move(found);
}

api::ports::Outcome<Page<NearMissRow>> ChainStore::near_misses(const api::Caller& caller, const NearMissFilter& filter, const PageRequest& request) {
    return to_outcome(
        tenant_transaction(pool_, caller.tenant, Access::read, [&](TenantTransaction& transaction) { return read_page(transaction, filter, request); }),
        "list_near_misses");
}

api::ports::Outcome<engine::TenantHealth> ChainStore::health(const api::Caller& caller) {
    auto found = engine_.health(caller.tenant);
    if (!found) return cannot_ask();
    return *std::move(found);
}

}  // namespace catenary::server::pg
