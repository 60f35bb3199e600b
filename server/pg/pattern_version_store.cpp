#include "server/pg/pattern_version_store.hpp"

#include "api/json/control_json.hpp"
#include "api/ports/pattern_modes.hpp"
#include "server/pg/control_entry.hpp"
#include "server/pg/pattern_rows.hpp"
#include "server/pg/tenant_transaction.hpp"

#include <fmt/format.h>

#include <charconv>
#include <limits>

namespace catenary::server::pg {
namespace {

using api::ports::Page;
using api::ports::PatternCondition;
using api::ports::PatternVersion;

constexpr const char* count_sql = "SELECT count(*) FROM pattern WHERE NOT retired AND NOT shipped";
constexpr const char* page_sql =
    "SELECT id, version, mode, '', created, created_by FROM pattern_version WHERE id = $1 AND version < $2 ORDER BY version DESC LIMIT $3";
constexpr const char* version_sql = "SELECT id, version, mode, document, created, created_by FROM pattern_version WHERE id = $1 AND version = $2";

StoreError no_pattern(const std::string& id) { return {StoreErrorCode::not_found, fmt::format("there is no pattern {}", id)}; }

/// The head, unless the change was made for another revision of it.
StoreResult<PatternHead> head_for(TenantTransaction& transaction, const std::string& id, const PatternCondition& condition) {
    auto head = find_pattern_head(transaction, id);
    if (!head || head->retired) return no_pattern(id);
    if (condition.revision && *condition.revision != head->version.revision) {
        return StoreError{StoreErrorCode::stale, fmt::format("the pattern is at revision {} by now", head->version.revision)};
    }
    return *std::move(head);
}

/// The entry that gives a version its mode in the engine.
engine::Position append(TenantTransaction& transaction, const api::Caller& caller, const PatternVersion& version,
                        std::optional<engine::Timestamp> effective_from) {
    const auto body = version.shipped ? api::json::shipped_control_text(version.id, version.mode, effective_from)
                                      : api::json::pattern_control_text(version.id, version.version, version.mode, effective_from, version.document_json);
    return append_control(transaction, caller.tenant, "pattern", body);
}

StoreResult<PatternVersion> find_version(TenantTransaction& transaction, const std::string& id, std::int32_t version) {
    const auto rows = transaction.exec_params(version_sql, id, version);
    if (rows.empty()) return StoreError{StoreErrorCode::not_found, fmt::format("there is no version {} of a pattern {}", version, id)};
    return pattern_version_from(rows[0]);
}

/// Gives a version a mode in the engine and in the head, which names the newest version. `off` ends all, whichever version the entry names.
StoreResult<PatternVersion> put_in_mode(TenantTransaction& transaction, const api::Caller& caller, PatternHead head, std::int32_t version, engine::Mode mode,
                                        std::optional<engine::Timestamp> effective_from) {
    auto deployed = head.version;
    if (mode != engine::Mode::off && version != head.version.version) {
        auto former = find_version(transaction, head.version.id, version);
        if (!former) return former;
        deployed = *std::move(former);
    }
    deployed.mode = mode;
    append(transaction, caller, deployed, effective_from);
    api::ports::give_mode(head.version, version, mode);
    return write_pattern_head(transaction, head, caller.key_id).version;
}

}  // namespace

template <class Change>
api::ports::Outcome<PatternVersion> PatternVersionStore::change(const api::Caller& caller, const char* what, Change change) {
    auto changed = tenant_transaction(pool_, caller, Access::write, [&](TenantTransaction& transaction) -> StoreResult<PatternVersion> {
        lock_patterns(transaction, caller);
        return change(transaction);
    });
    if (changed) after_commit(caller, appended_);
    return to_outcome(std::move(changed), what);
}

api::ports::Outcome<std::vector<PatternVersion>> PatternVersionStore::list(const api::Caller& caller) {
    const auto sql = fmt::format("{} WHERE NOT p.retired ORDER BY p.id", pattern_head_select);
    return to_outcome(tenant_transaction(pool_, caller.tenant, Access::read,
                                         [&](TenantTransaction& transaction) {
                                             std::vector<PatternVersion> versions;
                                             for (const auto& row : transaction.exec(sql)) versions.push_back(pattern_head_from(row).version);
                                             return versions;
                                         }),
                      "list_patterns");
}

api::ports::Outcome<PatternVersion> PatternVersionStore::find(const api::Caller& caller, const std::string& id) {
    return to_outcome(tenant_transaction(pool_, caller.tenant, Access::read,
                                         [&](TenantTransaction& transaction) -> StoreResult<PatternVersion> {
                                             const auto head = head_for(transaction, id, {});
                                             if (!head) return head.error();
                                             return (*head).version;
                                         }),
                      "find_pattern");
}

api::ports::Outcome<Page<PatternVersion>> PatternVersionStore::versions(const api::Caller& caller, const std::string& id,
                                                                        const api::ports::PageRequest& request) {
    auto below = std::numeric_limits<std::int32_t>::max();
    std::from_chars(request.after.data(), request.after.data() + request.after.size(), below);  // "" leaves it: the first page
    return to_outcome(tenant_transaction(pool_, caller.tenant, Access::read,
                                         [&](TenantTransaction& transaction) -> StoreResult<Page<PatternVersion>> {
                                             Page<PatternVersion> page;
                                             for (const auto& row : transaction.exec_params(page_sql, id, below, request.limit + 1))
                                                 page.items.push_back(pattern_version_from(row));
                                             if (page.items.empty() && request.after.empty()) return no_pattern(id);
                                             if (page.items.size() <= request.limit) return page;
                                             page.items.pop_back();
                                             page.next = std::to_string(page.items.back().version);
                                             return page;
                                         }),
                      "pattern_versions");
}

api::ports::Outcome<PatternVersion> PatternVersionStore::version(const api::Caller& caller, const std::string& id, std::int32_t version) {
    return to_outcome(
        tenant_transaction(pool_, caller.tenant, Access::read, [&](TenantTransaction& transaction) { return find_version(transaction, id, version); }),
        "pattern_version");
}

api::ports::Outcome<PatternVersion> PatternVersionStore::add(const api::Caller& caller, const PatternVersion& wanted,
                                                             std::optional<engine::Timestamp> effective_from) {
    return change(caller, "add_pattern", [&](TenantTransaction& transaction) -> StoreResult<PatternVersion> {
        const auto former = find_pattern_head(transaction, wanted.id);
        if (former && !former->retired) return StoreError{StoreErrorCode::conflict, fmt::format("a pattern {} exists", wanted.id)};
        if (transaction.exec1(count_sql)[0].as<int>() >= most_documents_) {
            refused_.add(caller.tenant);
            return StoreError{StoreErrorCode::invalid, fmt::format("a tenant has at most {} patterns of its own", most_documents_)};
        }
        PatternHead head{wanted};
        head.version.version = former ? former->version.version + 1 : 1;
        head.version.revision = former ? former->version.revision : 0;
        if (head.version.version > most_versions) return StoreError{StoreErrorCode::invalid, fmt::format("a pattern has at most {} versions", most_versions)};
        api::ports::give_mode(head.version, head.version.version, wanted.mode);
        insert_pattern_version(transaction, head, append(transaction, caller, head.version, effective_from), caller.key_id);
        return write_pattern_head(transaction, head, caller.key_id).version;
    });
}

api::ports::Outcome<PatternVersion> PatternVersionStore::replace(const api::Caller& caller, const PatternVersion& wanted, const PatternCondition& condition) {
    return change(caller, "replace_pattern", [&](TenantTransaction& transaction) -> StoreResult<PatternVersion> {
        const auto former = head_for(transaction, wanted.id, condition);
        if (!former) return former.error();
        PatternHead head{wanted};
        head.version.version = (*former).version.version + 1;
        head.version.revision = (*former).version.revision;
        head.version.production = (*former).version.production;
        api::ports::give_mode(head.version, head.version.version, wanted.mode);
        if (head.version.version > most_versions) return StoreError{StoreErrorCode::invalid, fmt::format("a pattern has at most {} versions", most_versions)};
        insert_pattern_version(transaction, head, append(transaction, caller, head.version, condition.effective_from), caller.key_id);
        return write_pattern_head(transaction, head, caller.key_id).version;
    });
}

api::ports::Outcome<PatternVersion> PatternVersionStore::deploy(const api::Caller& caller, const PatternVersion& wanted, const PatternCondition& condition) {
    return change(caller, "deploy_pattern", [&](TenantTransaction& transaction) -> StoreResult<PatternVersion> {
        PatternHead head{wanted};
        auto former = head_for(transaction, wanted.id, condition);
        if (former) {
            head = *std::move(former);
        } else if (!wanted.shipped || former.error().code != StoreErrorCode::not_found) {
            return former.error();
        } else if (condition.revision && *condition.revision != wanted.revision) {
            return StoreError{StoreErrorCode::stale, fmt::format("the pattern is at revision {}", wanted.revision)};
        }
        return put_in_mode(transaction, caller, std::move(head), wanted.version, wanted.mode, condition.effective_from);
    });
}

api::ports::Outcome<PatternVersion> PatternVersionStore::end_trial(const api::Caller& caller, const std::string& id, const PatternCondition& condition) {
    return change(caller, "end_trial", [&](TenantTransaction& transaction) -> StoreResult<PatternVersion> {
        auto head = head_for(transaction, id, condition);
        if (!head) return head.error();
        const auto production = (*head).version.production;
        if (!production || !(*head).version.flighting) return StoreError{StoreErrorCode::not_found, "no version is on trial beside one in production"};
        // What is in production comes into production once more, which ends every other.
        return put_in_mode(transaction, caller, *std::move(head), *production, engine::Mode::production, std::nullopt);
    });
}

api::ports::Outcome<PatternVersion> PatternVersionStore::retire(const api::Caller& caller, const std::string& id, const PatternCondition& condition) {
    return change(caller, "retire_pattern", [&](TenantTransaction& transaction) -> StoreResult<PatternVersion> {
        auto head = head_for(transaction, id, condition);
        if (!head) return head.error();
        (*head).retired = true;
        api::ports::give_mode((*head).version, (*head).version.version, engine::Mode::off);
        append(transaction, caller, (*head).version, std::nullopt);
        return write_pattern_head(transaction, *head, caller.key_id).version;
    });
}

}  // namespace catenary::server::pg
