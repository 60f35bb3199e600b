#include "server/pg/setting_store.hpp"

#include "api/json/control_json.hpp"
#include "server/pg/control_entry.hpp"
#include "server/pg/sql_text.hpp"
#include "server/pg/tenant_transaction.hpp"

#include <fmt/format.h>

#include <stdexcept>
#include <variant>

namespace catenary::server::pg {
namespace {

using api::ports::StoredSettings;
using api::ports::TenantSettings;

constexpr const char* read_sql = "SELECT revision, body, changed, changed_by FROM tenant_setting";  // at most one row: row-level security
constexpr const char* write_sql = R"(
    INSERT INTO tenant_setting (tenant, revision, body, position, changed, changed_by) VALUES ($1, $2, $3, $4, clock_timestamp(), $5)
    ON CONFLICT (tenant) DO UPDATE SET revision = EXCLUDED.revision, body = EXCLUDED.body, position = EXCLUDED.position, changed = EXCLUDED.changed,
                                       changed_by = EXCLUDED.changed_by)";

engine::SettingChange change_of(const TenantSettings& settings) {
    engine::SettingChange change;
    change.lateness = settings.lateness;
    change.group_within = settings.group_within;
    change.base_rate = settings.base_rate;
    change.unlinkable_limit = settings.unlinkable_limit;
    change.window_signals = settings.window_signals;
    change.daily_incidents = settings.daily_incidents;
    change.incident_entities = settings.incident_entities;
    return change;
}

/// What a body leaves out, because an older version wrote it, has its default.
TenantSettings settings_of(std::string_view body) {
    const auto entry = api::json::control_from_text("setting", body);
    if (!entry) throw std::invalid_argument("damaged settings: " + entry.error().detail);
    const auto& change = std::get<engine::SettingChange>(*entry);
    TenantSettings settings;
    settings.lateness = change.lateness.value_or(settings.lateness);
    settings.group_within = change.group_within.value_or(settings.group_within);
    settings.base_rate = change.base_rate.value_or(settings.base_rate);
    settings.unlinkable_limit = change.unlinkable_limit.value_or(settings.unlinkable_limit);
    settings.window_signals = change.window_signals.value_or(settings.window_signals);
    settings.daily_incidents = change.daily_incidents.value_or(settings.daily_incidents);
    settings.incident_entities = change.incident_entities.value_or(settings.incident_entities);
    return settings;
}

StoredSettings read_settings(TenantTransaction& transaction) {
    StoredSettings stored;
    for (const auto& row : transaction.exec(read_sql)) {
        stored.revision = row[0].as<std::int64_t>();
        stored.values = settings_of(row[1].c_str());
        stored.changed = timestamp_from(row[2]);
        stored.changed_by = row[3].c_str();
    }
    return stored;
}

}  // namespace

api::ports::Outcome<StoredSettings> SettingStore::read(const api::Caller& caller) {
    return to_outcome(tenant_transaction(pool_, caller.tenant, Access::read, [](TenantTransaction& transaction) { return read_settings(transaction); }),
                      "read_settings");
}

api::ports::Outcome<StoredSettings> SettingStore::change(const api::Caller& caller, const TenantSettings& wanted, std::int64_t revision) {
    const auto body = api::json::control_to_text(change_of(wanted));
    auto changed = tenant_transaction(pool_, caller, Access::write, [&](TenantTransaction& transaction) -> StoreResult<StoredSettings> {
        const auto position = append_control(transaction, caller.tenant, "setting", body);
        const auto now = read_settings(transaction);
        if (now.revision != revision) return StoreError{StoreErrorCode::stale, fmt::format("the settings have revision {} by now", now.revision)};
        transaction.exec_params(write_sql, caller.tenant.value(), revision + 1, body, position.value(), caller.key_id);
        return read_settings(transaction);
    });
    if (changed && appended_) appended_();
    return to_outcome(std::move(changed), "change_settings");
}

}  // namespace catenary::server::pg
