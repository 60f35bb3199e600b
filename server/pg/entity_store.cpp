#include "server/pg/entity_store.hpp"

#include "engine/model/canonical.hpp"
#include "server/pg/place.hpp"
#include "server/pg/tenant_transaction.hpp"

#include <algorithm>

namespace catenary::server::pg {
namespace {

using api::ports::EntityFilter;
using api::ports::EntityRow;
using api::ports::Page;
using api::ports::PageRequest;
using Steady = std::chrono::steady_clock;

const Statement next_kind{"next_entity_kind", "SELECT kind FROM entity WHERE kind > $1 ORDER BY kind LIMIT 1"};
// A text that starts with the prefix is not before it, and before what follows it by the last character there is.
const Statement entity_values{"entity_values", R"(
    SELECT value, identifies FROM entity
    WHERE kind = $1 AND value > $2 AND value >= $3 AND ($3 = '' OR value < $3 || U&'\+10FFFF') AND starts_with(value, $3)
    ORDER BY value LIMIT $4)"};
const Statement entity_by_key{"entity_by_key", "SELECT identifies FROM entity WHERE kind = $1 AND value = $2"};

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
        if (!place) return StoreError{StoreErrorCode::invalid, "the cursor does not belong to this list"};
        kind = (*place)[0];
        value = (*place)[1];
    } else {
        kind = kinds.after("");
    }
    Page<EntityRow> page;
    for (; kind; kind = kinds.after(*kind), value.clear()) {
        const auto prefix = engine::canonical_part(*kind, filter.prefix);
        for (const auto& row : transaction.rows(entity_values, *kind, value, prefix, static_cast<std::int64_t>(request.limit + 1 - page.items.size()))) {
            if (page.items.size() == request.limit) {
                const auto& last = page.items.back().key;
                page.next = place_text({last.kind, last.value});
                return page;
            }
            page.items.push_back({{*kind, row[0].c_str()}, row[1].as<bool>()});
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
                                             return EntityRow{key, rows[0][0].as<bool>()};
                                         }),
                      "find_entity");
}

}  // namespace catenary::server::pg
