#include "server/pg/tenant_transaction.hpp"
#include "server/pg/ticket_desk.hpp"
#include "server/pg/ticket_queue.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <string_view>

// Hooks between the request that took them and the thread that follows them.

namespace catenary::server::pg {
namespace {

constexpr std::int64_t most_hooks = 5'000;  ///< kept of a connector, those that were followed included

constexpr const char* count_sql = "SELECT count(*) FROM (SELECT FROM hook WHERE connector = $1 LIMIT $2) h";
constexpr const char* make_room_sql = R"(
    DELETE FROM hook WHERE connector = $1 AND id IN (SELECT id FROM hook WHERE connector = $1 AND worked IS NOT NULL ORDER BY received LIMIT 1000))";
constexpr const char* add_sql = R"(
    INSERT INTO hook (tenant, connector, id, ticket, report, worked) VALUES ($1, $2, $3, $4, $5, CASE WHEN $4 = '' THEN clock_timestamp() END)
    ON CONFLICT DO NOTHING)";
// After a look that failed the next one comes later and later.
constexpr const char* waiting_sql = R"(
    SELECT id, ticket, report, attempts FROM hook
    WHERE connector = $1 AND worked IS NULL AND received + attempts * interval '2 seconds' <= clock_timestamp() ORDER BY received, id LIMIT 100)";
constexpr const char* note_sql = R"(
    UPDATE hook SET attempts = attempts + 1, worked = CASE WHEN $3 THEN worked ELSE clock_timestamp() END WHERE connector = $1 AND id = $2 AND worked IS NULL)";

constexpr const char* connector_sql = "SELECT tenant, name FROM connector_of_hook($1::uuid)";

bool is_uuid(std::string_view text) {
    constexpr std::string_view form = "00000000-0000-0000-0000-000000000000";
    return text.size() == form.size() && std::equal(text.begin(), text.end(), form.begin(), [](char given, char wanted) {
               return wanted == '-' ? given == '-' : (given >= '0' && given <= '9') || (given >= 'a' && given <= 'f');
           });
}

std::string report_text(const std::optional<tickets::RemoteTicket>& report) {
    if (!report) return "";
    return nlohmann::json{{"status", report->status}, {"closed", report->closed}, {"url", report->url}, {"seen", report->seen}}.dump();
}

}  // namespace

StoreResult<bool> TicketQueue::add_hook(const tickets::HookNews& news) {
    return tenant_transaction(pool_, tenant_, Access::write, [&](TenantTransaction& transaction) -> StoreResult<bool> {
        const auto is_full = [&] { return transaction.exec_params1(count_sql, name_, most_hooks)[0].as<std::int64_t>() >= most_hooks; };
        if (is_full()) {
            transaction.exec_params(make_room_sql, name_);
            if (is_full()) return StoreError{StoreErrorCode::unavailable, "too many hooks of this connector wait to be followed"};
        }
        return transaction.exec_params(add_sql, tenant_.value(), name_, news.delivery, news.ticket, report_text(news.report)).affected_rows() > 0;
    });
}

StoreResult<std::vector<WaitingHook>> TicketQueue::hooks() {
    return tenant_transaction(pool_, tenant_, Access::read, [&](TenantTransaction& transaction) {
        std::vector<WaitingHook> waiting;
        for (const auto& row : transaction.exec_params(waiting_sql, name_)) {
            WaitingHook hook{row[0].c_str(), row[1].c_str(), std::nullopt, row[3].as<int>()};
            if (const std::string text = row[2].c_str(); !text.empty()) {
                const auto said = nlohmann::json::parse(text);
                auto& report = hook.report.emplace();
                report.id = hook.ticket;
                report.status = said.at("status").get<std::string>();
                report.closed = said.at("closed").get<bool>();
                report.url = said.at("url").get<std::string>();
                report.seen = said.at("seen").get<std::string>();
            }
            waiting.push_back(std::move(hook));
        }
        return waiting;
    });
}

StoreResult<void> TicketQueue::note_hook(std::int64_t epoch, const std::string& id, bool again, const std::vector<tickets::Exchanged>& exchanged) {
    return tenant_transaction(pool_, tenant_, Access::write, [&](TenantTransaction& transaction) -> StoreResult<void> {
        if (const auto ours = fenced(transaction, epoch); !ours) return ours.error();
        log(transaction, nullptr, exchanged);
        transaction.exec_params(note_sql, name_, id, again);
        return {};
    });
}

StoreResult<std::optional<bool>> PgTicketDesk::add_hook(const std::string& id, const api::tickets::HookMessage& message) {
    if (!is_uuid(id)) return std::optional<bool>{};
    struct Owner {
        std::int32_t tenant = 0;
        std::string name;
    };
    const auto owner = tenant_transaction(pool_, std::nullopt, Access::read, [&](TenantTransaction& transaction) -> std::optional<Owner> {
        const auto rows = transaction.exec_params(connector_sql, id);
        if (rows.empty()) return std::nullopt;
        return Owner{rows[0][0].as<std::int32_t>(), rows[0][1].c_str()};
    });
    if (!owner) return owner.error();
    if (!*owner) return std::optional<bool>{};
    const engine::TenantId tenant{(**owner).tenant};
    TicketQueue queue{pool_, tenant, (**owner).name, ""};
    const auto served = queue.load(box_);
    if (!served && served.error().code == StoreErrorCode::unavailable) return served.error();
    if (!served) return std::optional<bool>{};  // removed meanwhile, or its secrets cannot be opened: the connector itself says so
    const auto news = hook_reader_(tenant, *served, message);
    if (!news) return std::optional<bool>{};
    if (!*news) return StoreError{StoreErrorCode::invalid, news->error().detail, "", news->error().pointer};
    const auto added = queue.add_hook(**news);
    if (!added) return added.error();
    return std::optional{*added};
}

api::ports::Outcome<bool> PgTicketDesk::take_hook(const std::string& id, const api::tickets::HookMessage& message) {
    constexpr int most_at_once = 4;
    struct Place {
        explicit Place(std::atomic<int>& of) : count{of}, number{++of} {}
        ~Place() { --count; }
        Place(const Place&) = delete;
        Place& operator=(const Place&) = delete;
        std::atomic<int>& count;
        const int number;
    };
    const Place place{taking_};
    if (place.number > most_at_once) {
        ++refused_;
        return api::ports::Failure{api::ports::FailureCode::unavailable, "other hooks are being taken in: send it again in a moment"};
    }
    const auto added = add_hook(id, message);
    if (!added) {
        ++refused_;
        if (added.error().code == StoreErrorCode::unavailable) return api::ports::Failure{api::ports::FailureCode::unavailable, added.error().detail};
        return to_failure(added.error(), "take_hook");
    }
    if (!*added) {
        ++not_genuine_;
        return api::ports::Failure{api::ports::FailureCode::not_found, "there is no such hook, or this was not signed with its secret a short while ago"};
    }
    ++(**added ? taken_ : known_);
    if (**added && changed_) changed_();
    return **added;
}

}  // namespace catenary::server::pg
