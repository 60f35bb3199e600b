#include "tests/simulator/database.hpp"

#include "api/json/control_json.hpp"
#include "api/json/time_json.hpp"

#include <algorithm>
#include <utility>

namespace catenary::simulator {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::ordered_json;

constexpr auto lock_timeout = 30s;
constexpr auto idle_timeout = 10s;  // of a session that does nothing inside a transaction

server::PqError gone() { return {"the session is gone", "", true}; }

/// "tenant, id" of a row, as text.
std::string key_of(const server::ResultTable& table, const Json& row) {
    std::string key;
    for (std::string_view rest = table.key; !rest.empty();) {
        const auto column = rest.substr(0, std::min(rest.find(", "), rest.size()));
        rest.remove_prefix(std::min(column.size() + 2, rest.size()));
        key += row.at(std::string{column}).dump() + ' ';
    }
    return key;
}

void upsert(Tables& tables, const server::ResultTable& table, const std::string& text) {
    if (text.empty()) return;
    auto& rows = tables[std::string{table.name}];
    for (auto& row : Json::parse(text)) {
        auto key = key_of(table, row);
        if (table.keeps_first) rows.try_emplace(std::move(key), std::move(row));
        else rows.insert_or_assign(std::move(key), std::move(row));
    }
}

void rematched(Tables& tables, const std::string& text) {
    auto& marks = tables[std::string{server::late_table.name}];
    for (const auto& row : Json::parse(text)) {
        const auto it = marks.find(key_of(server::late_table, row));
        if (it != marks.end()) it->second["behind_horizon"] = false;
    }
}

void edit(Tables& tables, const std::string& text) {
    const auto change = Json::parse(text);
    auto& incidents = tables["incident"];
    const auto it = incidents.find(key_of(server::incident_table, change));
    if (it == incidents.end() || !it->second.at("merged_into").is_null()) return;
    auto& row = it->second;
    const bool reopens = row.at("status") == "closed" && !change.at("status").is_null() && change.at("status") != "closed";
    if (reopens) {
        row["classification"] = nullptr;
        row["classification_reason"] = "";
    }
    const auto set = [&](const char* column, const char* from) {
        if (!change.at(from).is_null()) row[column] = change.at(from);
    };
    set("status", "status");
    set("classification", "classification");
    set("classification_reason", "reason");
    set("owner", "owner");
    set("title", "title");
    set("severity", "severity");
    set("labels", "labels");
    row["revision"] = row.at("revision").get<std::int64_t>() + 1;
    row["updated"] = change.at("at");
}

void write(Tables& tables, const server::ResultRows& rows) {
    upsert(tables, server::late_table, rows.late);
    if (!rows.rematched.empty()) rematched(tables, rows.rematched);
    upsert(tables, server::incident_table, rows.incidents);
    for (const auto& change : rows.stored_edits) edit(tables, change);
    upsert(tables, server::activity_table, rows.activity);
    upsert(tables, server::finding_table, rows.findings);
    auto& evidence = tables["finding_evidence"];
    if (!rows.emptied.empty()) {
        for (const auto& finding : Json::parse(rows.emptied)) {
            std::erase_if(evidence,
                          [&](const auto& row) { return row.second.at("tenant") == finding.at("tenant") && row.second.at("finding") == finding.at("id"); });
        }
    }
    upsert(tables, server::evidence_table, rows.evidence);
    upsert(tables, server::near_miss_table, rows.near_misses);
    if (!rows.near_misses_forgotten.empty()) {
        const auto forgotten = Json::parse(rows.near_misses_forgotten);
        std::erase_if(tables["near_miss"], [&](const auto& row) {
            return row.second.at("tenant") == forgotten.at("tenant") && *api::json::parse_time(row.second.at("until_time").template get<std::string>()) <
                                                                            *api::json::parse_time(forgotten.at("before").template get<std::string>());
        });
    }
    upsert(tables, server::status_table, rows.status);
}

}  // namespace

server::StoredRow SignalRow::view() const {
    server::StoredRow row;
    row.key = key;
    row.tenant = tenant;
    row.position = position;
    row.time = time;
    row.received = received;
    row.definition = definition;
    row.title = title;
    row.severity = severity;
    row.confidence = confidence;
    row.count = count;
    row.entities = entities;
    row.roles = std::as_bytes(std::span{roles.data(), roles.size()});
    row.source_id = source_id;
    row.attributes = attributes;
    row.shown = shown;
    return row;
}

void Database::copy_log(const Database& other) {
    next_position = other.next_position;
    signals = other.signals;
    leaves = other.leaves;
    batches = other.batches;
    controls = other.controls;
    tenants = other.tenants;
    for (const auto& [number, lane] : other.lanes) lanes[number];
    posted = other.posted;
    definitions_ = other.definitions_;
    titles_ = other.titles_;
    entities_ = other.entities_;
}

Session* Database::connect(Scheduler::Process process) {
    scheduler_.sleep(std::chrono::microseconds{dice_.pick(100, 5'000)});
    if (down_until_ && scheduler_.now() < *down_until_) throw server::PqError{"the database is down", "", true};
    sessions_.push_back({process, false, std::nullopt});
    return &sessions_.back();
}

void Database::end_transaction(const Session& session) {
    if (log_holder_ == &session) log_holder_ = nullptr;
    if (leader == &session) leader = nullptr;
}

void Database::close(Session* session) {
    end_transaction(*session);
    sessions_.remove_if([&](const Session& one) { return &one == session; });
}

void Database::call(Session& session) {
    const auto latency = std::chrono::microseconds{dice_.pick(20, weather_.slowest_call)};
    // The server ends a session that stood still inside a transaction.
    const bool stood_still = session.in_transaction_since && scheduler_.now() - *session.in_transaction_since > idle_timeout;
    if (dice_.once_in(weather_.breaks) || stood_still) session.broken = true;
    if (!session.broken) scheduler_.sleep(latency);
    if (session.in_transaction_since) session.in_transaction_since = scheduler_.now();
    if (!session.broken) return;
    end_transaction(session);
    throw gone();
}

void Database::end_sessions(Scheduler::Process process) {
    for (auto& session : sessions_) {
        if (session.process != process) continue;
        session.broken = true;
        end_transaction(session);
    }
}

void Database::break_some_session() {
    if (sessions_.empty()) return;
    auto it = sessions_.begin();
    std::advance(it, dice_.index(sessions_.size()));
    it->broken = true;
    end_transaction(*it);
}

void Database::crash(Scheduler::Time until) {
    for (auto& session : sessions_) {
        session.broken = true;
        end_transaction(session);
    }
    for (auto& slow : slow_) slow.at = scheduler_.now();
    settle();
    if (on_disk_) {
        lanes = std::move(on_disk_->lanes);
        tables[std::string{server::status_table.name}] = std::move(on_disk_->statuses);
        on_disk_.reset();
    }
    down_until_ = until;
}

void Database::durable() { on_disk_.reset(); }

void Database::settle() {
    for (auto it = slow_.begin(); it != slow_.end();) {
        if (it->at > scheduler_.now()) {
            ++it;
            continue;
        }
        if (log_holder_ == &*it) log_holder_ = nullptr;
        if (lanes_holder_ == &*it) lanes_holder_ = nullptr;
        if (it->commits) it->apply();
        it = slow_.erase(it);
    }
    // Idle sessions inside a transaction do not hold the log for ever.
    for (auto& session : sessions_) {
        if (!session.in_transaction_since || scheduler_.now() - *session.in_transaction_since <= idle_timeout) continue;
        session.broken = true;
        session.in_transaction_since.reset();
        end_transaction(session);
    }
}

void Database::lock_log(Session& session) {
    call(session);
    const auto deadline = scheduler_.now() + lock_timeout;
    while (log_holder_ != nullptr) {
        const std::function<bool()> ready = [&] { return log_holder_ == nullptr || session.broken; };
        if (!scheduler_.wait(deadline, ready)) throw server::PqError{"lock timeout", "55P03", false};
        if (session.broken) throw gone();
    }
    log_holder_ = &session;
    session.in_transaction_since = scheduler_.now();
}

void Database::unlock_log(const Session& session) {
    if (log_holder_ == &session) log_holder_ = nullptr;
}

void Database::wait_for_lanes(Session& session) {
    const std::function<bool()> ready = [&] { return lanes_holder_ == nullptr || session.broken; };
    if (!scheduler_.wait(scheduler_.now() + lock_timeout, ready)) throw server::PqError{"lock timeout", "55P03", false};
    if (session.broken) throw gone();
}

bool Database::append_control(engine::TenantId tenant, engine::Timestamp admitted, std::string kind, std::string body) {
    if (log_holder_ != nullptr) return false;
    const engine::Position position{next_position++};
    batches[position] = {tenants.at(tenant), position, position, true};
    controls[position] = {position, tenant, admitted, std::move(kind), std::move(body)};
    durable();
    return true;
}

void Database::apply(const GroupChange& change) {
    durable();
    for (const auto& row : change.rows) {
        leaves.at(row.leaf).emplace(row.key, row.position);
        signals.emplace(row.position, row);
    }
    for (const auto& batch : change.batches) batches.emplace(batch.first, batch);
    next_position += static_cast<std::int64_t>(change.rows.size());
}

bool Database::apply(const std::vector<server::LaneMove>& moves, const std::vector<server::ResultRows>& rows) {
    for (const auto& move : moves) {
        const auto& lane = lanes.at(move.lane);
        if (lane.epoch == move.epoch && lane.done == move.from) continue;
        ++fenced;
        return false;
    }
    const bool visible = std::any_of(rows.begin(), rows.end(), [](const auto& tenant) { return tenant.visible(); });
    if (visible) durable();
    else if (!on_disk_) on_disk_ = OnDisk{lanes, tables[std::string{server::status_table.name}]};
    for (const auto& move : moves) lanes.at(move.lane).done = move.to;
    for (const auto& tenant : rows) write(tables, tenant);
    return true;
}

void Database::take_over(const server::ResultStore::TakeOver& wanted, server::LaneLeases& leases) {
    durable();
    if (wanted.by) made_by = {wanted.by->engine, wanted.by->catalogue, wanted.by->since.value_or(engine::Position{next_position - 1})};
    for (auto& [number, lane] : lanes) {
        ++lane.epoch;
        lane.owner = wanted.owner;
        leases[number] = {lane.epoch, lane.done};
    }
}

bool Database::any_results() const {
    return std::any_of(lanes.begin(), lanes.end(), [](const auto& lane) { return lane.second.done.value() > 0; });
}

bool Database::caught_up() const {
    return std::all_of(batches.begin(), batches.end(), [&](const auto& batch) { return batch.second.last <= lanes.at(batch.second.lane).done; });
}

std::int32_t Database::definition_id(const server::StoredDefinition& definition) {
    std::string text = definition.domain + '\n' + definition.source + '\n' + definition.name;
    for (const auto& tactic : definition.tactics) text += "\n+" + tactic;
    for (const auto& technique : definition.techniques) text += "\n-" + technique;
    const auto [it, is_new] = definition_ids_.try_emplace(text, static_cast<std::int32_t>(definitions_.size()) + 1);
    if (is_new) definitions_.push_back(definition);
    return it->second;
}

std::int32_t Database::title_id(const std::string& title) {
    if (title.empty()) return 0;
    const auto [it, is_new] = title_ids_.try_emplace(title, static_cast<std::int32_t>(titles_.size()) + 1);
    if (is_new) titles_.push_back(title);
    return it->second;
}

std::int64_t Database::entity_id(engine::TenantId tenant, const server::StoredEntity& entity) {
    const auto text = std::to_string(tenant.value()) + '\n' + entity.kind + '\n' + entity.value;
    const auto [it, is_new] = entity_ids_.try_emplace(text, static_cast<std::int64_t>(entities_.size()) + 1);
    if (is_new) entities_.push_back(entity);
    return it->second;
}

Database::Found<std::int32_t, server::StoredDefinition> Database::definitions(const std::vector<std::int32_t>& ids) {
    Found<std::int32_t, server::StoredDefinition> found;
    for (const auto id : ids) found.emplace_back(id, definitions_.at(static_cast<std::size_t>(id - 1)));
    return found;
}

Database::Found<std::int32_t, std::string> Database::titles(const std::vector<std::int32_t>& ids) {
    Found<std::int32_t, std::string> found;
    for (const auto id : ids) found.emplace_back(id, titles_.at(static_cast<std::size_t>(id - 1)));
    return found;
}

Database::Found<std::int64_t, server::StoredEntity> Database::entities(const std::vector<std::int64_t>& ids) {
    Found<std::int64_t, server::StoredEntity> found;
    for (const auto id : ids) found.emplace_back(id, entities_.at(static_cast<std::size_t>(id - 1)));
    return found;
}

}  // namespace catenary::simulator
