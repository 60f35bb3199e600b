#include "server/ingest/pq_connection.hpp"
#include "server/ingest/pq_values.hpp"
#include "server/ingest/signal_row.hpp"
#include "tests/simulator/ports.hpp"

#include <algorithm>

namespace catenary::simulator {
namespace {

std::vector<std::string> texts(std::span<const std::string_view> views) { return {views.begin(), views.end()}; }

}  // namespace

void SimulatedIngestStore::connect() {
    session_.reset();
    session_.emplace(database_, process_);
}

Session& SimulatedIngestStore::session() {
    database_.call(**session_);
    return **session_;
}

server::DigestKey SimulatedIngestStore::digest_key() {
    session();
    return database_.digest_key;
}

std::map<engine::TenantId, std::int16_t> SimulatedIngestStore::lanes_of(std::span<const std::int32_t> tenants) {
    session();
    std::map<engine::TenantId, std::int16_t> found;
    for (const auto tenant : tenants) {
        const auto it = database_.tenants.find(engine::TenantId{tenant});
        if (it != database_.tenants.end()) found.insert(*it);
    }
    return found;
}

server::LeafCalendar SimulatedIngestStore::calendar() {
    session();
    return server::LeafCalendar{0};
}

std::set<server::Day> SimulatedIngestStore::leaves() {
    session();
    std::set<server::Day> days;
    for (const auto& [day, keys] : database_.leaves) days.insert(day);
    return days;
}

void SimulatedIngestStore::make_leaf(server::Day leaf) {
    const OwnedSession maker{database_, process_};
    database_.call(*maker);
    database_.leaves[leaf];
    database_.call(*maker);
}

void SimulatedIngestStore::each_stored(server::Day leaf, server::Day, const std::function<bool(const server::DedupSet::Stored&)>& take) {
    session();
    const auto keys = database_.leaves.find(leaf);
    if (keys == database_.leaves.end()) return;
    for (const auto& [key, position] : keys->second) {
        if (!take({key, database_.signals.at(position).content})) return;
    }
}

void SimulatedIngestStore::begin() {
    change_ = {};
    database_.lock_log(**session_);
}

std::vector<server::DedupSet::Stored> SimulatedIngestStore::stored_already(std::span<const server::SignalKey> keys, const server::LeafCalendar& calendar) {
    session();
    std::vector<server::DedupSet::Stored> stored;
    for (const auto& wanted : keys) {
        const auto leaf = database_.leaves.find(calendar.leaf_of(wanted.day()));
        if (leaf == database_.leaves.end()) continue;
        const auto key = leaf->second.find(wanted);
        if (key != leaf->second.end()) stored.push_back({key->first, database_.signals.at(key->second).content});
    }
    return stored;
}

engine::Position SimulatedIngestStore::write(const server::Group& group, const server::LeafCalendar&, engine::Timestamp received) {
    session();
    const engine::Position first{database_.next_position};
    for (std::size_t i = 0; i < group.rows.size(); ++i) {
        const auto& planned = group.rows[i];
        const auto& waiting = *group.requests[planned.request].waiting;
        const auto& signal = group.signal(planned);
        const auto& digests = group.digests(planned);
        const auto leaf = database_.leaves.find(planned.leaf);
        if (leaf == database_.leaves.end()) throw server::PqError{"no such table", "42P01", false};
        if (leaf->second.contains(digests.key)) {
            ++database_.collisions;
            throw server::PqError{"duplicate key", "23505", false};
        }
        SignalRow row;
        row.key = digests.key;
        row.content = digests.content;
        row.tenant = waiting.tenant;
        row.position = engine::Position{first.value() + static_cast<std::int64_t>(i)};
        row.time = signal.time;
        row.received = received;
        row.definition = database_.definition_id(
            {std::string{signal.domain}, std::string{signal.source}, std::string{signal.name}, texts(signal.tactics), texts(signal.techniques)});
        row.title = database_.title_id(std::string{signal.title});
        row.severity = static_cast<std::int16_t>(signal.severity);
        row.confidence = signal.confidence;
        row.count = signal.count;
        std::vector<std::int64_t> ids;
        for (const auto& entity : signal.entities) {
            ids.push_back(database_.entity_id(row.tenant, {std::string{entity.kind}, std::string{entity.value}, entity.identifies}));
            row.roles += static_cast<char>(server::role_code(entity.role));
        }
        row.entities = server::int8_array(ids).bytes;
        row.source_id = signal.id;
        row.attributes = signal.attributes;
        row.shown = server::shown_text(signal, "");
        row.leaf = planned.leaf;
        row.batch = waiting.batch.get();
        row.place = planned.signal;
        change_.rows.push_back(std::move(row));
    }
    for (const auto& request : group.requests) {
        if (request.row_count == 0) continue;
        const engine::Position begin{first.value() + request.first_row};
        const engine::Position end{first.value() + request.first_row + request.row_count - 1};
        if (!change_.batches.empty() && change_.batches.back().lane == request.lane) change_.batches.back().last = end;
        else change_.batches.push_back({request.lane, begin, end, false});
    }
    database_.call(**session_);
    return first;
}

server::CommitFate SimulatedIngestStore::commit() {
    const auto reply = database_.commit(**session_, true, [&database = database_, change = change_] { database.apply(change); });
    return reply == Database::Reply::yes ? server::CommitFate::committed : server::CommitFate::unknown;
}

void SimulatedIngestStore::roll_back() noexcept {
    if (!session_) return;
    (*session_)->in_transaction_since.reset();
    database_.unlock_log(**session_);
}

}  // namespace catenary::simulator
