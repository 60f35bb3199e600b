#include "api/ingest/attributes.hpp"
#include "api/json/control_json.hpp"
#include "engine/lane/deployment.hpp"
#include "server/lanes/stored_names.hpp"
#include "tests/simulator/ports.hpp"
#include "tests/simulator/stored_incidents.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <tuple>

namespace catenary::simulator {
namespace {

using server::WriteFate;

constexpr std::size_t name_bytes = 1U << 20U;
constexpr std::int64_t window_positions = 16;

class SimulatedLeadership final : public server::Leadership {
public:
    SimulatedLeadership(Database& database, Scheduler& scheduler, const OwnedSession& session, std::chrono::milliseconds silence)
        : database_{database}, scheduler_{scheduler}, session_{session}, silence_{silence} {}

    bool acquire() override {
        if (held_) return true;
        database_.call(*session_);
        if (database_.leader == nullptr) database_.leader = session_.get();
        held_ = database_.leader == session_.get();
        return held_;
    }
    void beat() override {
        if (scheduler_.now() < next_beat_) return;
        database_.call(*session_);
        database_.beat = scheduler_.now();
        next_beat_ = scheduler_.now() + silence_ / 4;
    }
    bool end_silent_leader() override {
        database_.call(*session_);
        if (database_.leader == nullptr || scheduler_.now() - database_.beat <= silence_) return false;
        database_.leader->broken = true;
        database_.leader = nullptr;
        return true;
    }
    std::string owner() override {
        database_.call(*session_);
        return database_.lanes.begin()->second.owner;
    }
    Followed followed() override {
        database_.call(*session_);
        Followed found{engine::Position{database_.next_position}, {}};
        for (const auto& [number, lane] : database_.lanes) found.done[number] = lane.done;
        for (const auto& [first, batch] : database_.batches) {
            if (batch.last > database_.lanes.at(batch.lane).done) {
                found.to = first;
                break;
            }
        }
        return found;
    }

private:
    Database& database_;
    Scheduler& scheduler_;
    const OwnedSession& session_;
    const std::chrono::milliseconds silence_;
    bool held_ = false;
    Scheduler::Time next_beat_{};
};

class SimulatedLog final : public server::LogReader {
public:
    SimulatedLog(Database& database, const OwnedSession& session) : database_{database}, session_{session}, names_{database, name_bytes} {}

    engine::Position end() override {
        database_.call(*session_);
        return engine::Position{database_.next_position};
    }
    void read(engine::Position from, engine::Position to, server::LogSink& sink) override {
        while (from < to && !sink.stopping()) {
            database_.call(*session_);
            const engine::Position window_end{std::min(to.value(), from.value() + window_positions)};
            std::vector<BatchRow> list;
            for (auto it = database_.batches.lower_bound(from); it != database_.batches.end() && it->first < window_end; ++it) list.push_back(it->second);
            const auto last = list.empty() ? window_end.value() - 1 : std::max(list.back().last.value(), window_end.value() - 1);
            for (const auto& batch : list) {
                if (sink.stopping()) return;
                pass(batch, sink);
                sink.reached(batch.last);
            }
            if (!sink.stopping()) sink.reached(engine::Position{last});
            from = engine::Position{last + 1};
        }
    }

private:
    void pass(const BatchRow& batch, server::LogSink& sink) {
        if (batch.control) return sink.control(batch.lane, database_.controls.at(batch.first));
        std::vector<server::StoredRow> rows;
        for (auto it = database_.signals.lower_bound(batch.first); it != database_.signals.end() && it->first <= batch.last; ++it) {
            rows.push_back(it->second.view());
        }
        if (static_cast<std::int64_t>(rows.size()) != batch.last.value() - batch.first.value() + 1) throw std::runtime_error("a batch without its rows");
        names_.load(rows);
        sink.signals(batch.lane, rows, names_);
    }

    Database& database_;
    const OwnedSession& session_;
    server::StoredNames names_;
};

class SimulatedFinder final : public server::SignalFinder {
public:
    SimulatedFinder(Database& database, const OwnedSession& session)
        : database_{database}, session_{session}, digester_{database.digest_key}, names_{database, name_bytes} {}

    std::map<engine::SignalRef, server::FoundSignal> find(engine::TenantId tenant, const std::vector<engine::SignalRef>& wanted) override {
        database_.call(*session_);
        std::map<engine::SignalRef, server::FoundSignal> found;
        for (const auto& ref : wanted) {
            const auto& keys = database_.leaves.at(server::day_of(ref.time));
            const auto key = keys.find(key_of(tenant, ref));
            if (key == keys.end()) throw std::runtime_error("evidence is not stored");
            std::vector<server::StoredRow> rows{database_.signals.at(key->second).view()};
            names_.load(rows, server::StoredNames::Titles::read);
            const auto& row = rows.front();
            found.emplace(ref, server::FoundSignal{row.key, server::signal_of(row, names_), server::title_of(row, names_), std::string{row.attributes},
                                                   std::string{row.shown}, row.received});
        }
        return found;
    }

    server::SignalKey key_of(engine::TenantId tenant, const engine::SignalRef& signal) override {
        return server::signal_key(digester_, tenant, signal.source, signal.id, signal.time);
    }

    std::vector<engine::StoredSignal> history(const engine::HistoryRequest& request, engine::Position below, const engine::Pattern& pattern) override {
        database_.call(*session_);
        const auto paths = engine::attribute_paths(pattern);
        std::vector<engine::StoredSignal> signals;
        for (const auto& [position, stored] : database_.signals) {
            if (position >= below) break;
            if (stored.tenant != request.tenant || stored.time < request.from || stored.time > request.to) continue;
            std::vector<server::StoredRow> rows{stored.view()};
            names_.load(rows);
            engine::StoredSignal signal{position, stored.received, server::signal_of(rows.front(), names_)};
            signal.signal.attributes = api::ingest::attribute_leaves(stored.attributes, paths);
            signal.late = is_late(stored);
            signals.push_back(std::move(signal));
        }
        std::sort(signals.begin(), signals.end(), by_reference);
        return signals;
    }

    engine::RematchAnswer answer(const engine::RematchRequest& request) override {
        database_.call(*session_);
        const auto paths = engine::attribute_paths(*request.pattern);
        engine::RematchAnswer answer;
        for (const auto& [position, stored] : database_.signals) {
            if (position > request.through) break;
            if (stored.tenant != request.tenant || stored.time < request.from || stored.time > request.to) continue;
            std::vector<server::StoredRow> rows{stored.view()};
            names_.load(rows);
            engine::StoredSignal signal{position, stored.received, server::signal_of(rows.front(), names_)};
            const auto is_named = [&](const engine::EntityMention& one) {
                return std::binary_search(request.entities.begin(), request.entities.end(), engine::EntityKey{one.kind, one.value});
            };
            if (!request.entities.empty() && std::none_of(signal.signal.entities.begin(), signal.signal.entities.end(), is_named)) continue;
            signal.signal.attributes = api::ingest::attribute_leaves(stored.attributes, paths);
            signal.late = is_late(stored);
            answer.signals.push_back(std::move(signal));
        }
        std::sort(answer.signals.begin(), answer.signals.end(), by_reference);
        return answer;
    }

private:
    static bool by_reference(const engine::StoredSignal& left, const engine::StoredSignal& right) {
        return std::tie(left.signal.time, left.signal.source, left.signal.id) < std::tie(right.signal.time, right.signal.source, right.signal.id);
    }
    bool is_late(const SignalRow& row) const {
        const auto table = database_.tables.find("late_signal");
        if (table == database_.tables.end()) return false;
        return table->second.contains(fmt::format("{} \"{:016x}{:016x}\" ", row.tenant.value(), row.key.high, row.key.low));
    }

    Database& database_;
    const OwnedSession& session_;
    server::Digester digester_;
    server::StoredNames names_;
};

class SimulatedSnapshots final : public server::SnapshotStore {
public:
    SimulatedSnapshots(Database& database, const OwnedSession& session) : database_{database}, session_{session} {}

    Stored write(const server::SnapshotSet& set, int keep, const std::function<bool()>& stopping) override {
        database_.call(*session_);
        if (database_.snapshots.contains(set.position)) return Stored::known;
        for (std::size_t lane = 0; lane < set.lanes.size(); ++lane) {
            if (stopping()) return Stored::stopped;
            database_.call(*session_);
        }
        database_.snapshots.try_emplace(set.position, Database::KeptSnapshot{set});
        while (database_.snapshots.size() > static_cast<std::size_t>(keep)) database_.snapshots.erase(database_.snapshots.begin());
        database_.call(*session_);
        return Stored::yes;
    }
    std::vector<server::StoredSnapshot> list() override {
        database_.call(*session_);
        std::vector<server::StoredSnapshot> list;
        for (auto it = database_.snapshots.rbegin(); it != database_.snapshots.rend(); ++it) {
            const auto& set = it->second.set;
            server::StoredSnapshot snapshot{set.position, static_cast<std::int16_t>(set.lanes.size()), set.engine, set.catalogue, {}};
            for (const auto& [number, lane] : set.lanes) snapshot.lanes[number] = {lane.done, static_cast<std::int64_t>(lane.state.size()), 1, ""};
            list.push_back(std::move(snapshot));
        }
        return list;
    }
    server::SnapshotSet read(const server::StoredSnapshot& snapshot) override {
        database_.call(*session_);
        const auto kept = database_.snapshots.find(snapshot.position);
        if (kept == database_.snapshots.end()) throw server::SnapshotUnreadable{"it is gone"};
        if (kept->second.damaged) throw server::SnapshotUnreadable{"it is damaged"};
        return kept->second.set;
    }
    server::LogEnd log_end() override {
        database_.call(*session_);
        server::LogEnd end{engine::Position{database_.next_position}, {}};
        for (const auto& [number, lane] : database_.lanes) end.done[number] = lane.done;
        return end;
    }
    std::vector<server::PostedPattern> posted_patterns(engine::Position until) override {
        database_.call(*session_);
        std::vector<server::PostedPattern> patterns;
        for (const auto& [position, pattern] : database_.posted) {
            if (position <= until) patterns.push_back(pattern);
        }
        return patterns;
    }

private:
    Database& database_;
    const OwnedSession& session_;
};

class SimulatedSession final : public server::LaneSession {
public:
    SimulatedSession(Database& database, Scheduler& scheduler, Scheduler::Process process, std::chrono::milliseconds silence)
        : session_{database, process},
          leadership_{database, scheduler, session_, silence},
          log_{database, session_},
          finder_{database, session_},
          snapshots_{database, session_} {}
    bool good() const override { return !session_->broken; }
    server::Leadership& leadership() override { return leadership_; }
    server::LogReader& log() override { return log_; }
    server::SignalFinder& finder() override { return finder_; }
    server::SnapshotStore& snapshots() override { return snapshots_; }

private:
    OwnedSession session_;
    SimulatedLeadership leadership_;
    SimulatedLog log_;
    SimulatedFinder finder_;
    SimulatedSnapshots snapshots_;
};

class SimulatedResults final : public server::ResultStore {
public:
    SimulatedResults(Database& database, Scheduler::Process process, std::function<engine::Timestamp()> clock)
        : database_{database}, process_{process}, clock_{std::move(clock)} {}

    WriteFate take_over(const TakeOver& wanted, server::LaneLeases& leases) override {
        return attempt([&](Session& session) -> std::optional<WriteFate> {
            database_.call(session);
            database_.wait_for_lanes(session);
            auto taken = std::make_shared<server::LaneLeases>();
            const auto reply = database_.commit(session, false, [&database = database_, wanted, taken] { database.take_over(wanted, *taken); });
            if (reply == Database::Reply::broken) return std::nullopt;
            leases = *taken;
            return WriteFate::committed;
        });
    }
    std::optional<server::Origin> origin() override {
        std::optional<server::Origin> found;
        attempt([&](Session& session) -> std::optional<WriteFate> {
            database_.call(session);
            found = {database_.made_by, database_.any_results(), engine::Position{0}};
            return WriteFate::committed;
        });
        return found;
    }
    std::optional<std::map<engine::TenantId, engine::StoredIncidents>> reported(std::int16_t lane,
                                                                                const std::map<engine::TenantId, engine::Timestamp>& earliest) override {
        std::optional<std::map<engine::TenantId, engine::StoredIncidents>> found;
        attempt([&](Session& session) -> std::optional<WriteFate> {
            database_.call(session);
            found.emplace();
            for (const auto& [tenant, own] : database_.tenants) {
                const auto last = last_number(database_.tables, tenant);
                const auto since = earliest.find(tenant);
                if (own != lane || (last == 0 && since == earliest.end())) continue;
                auto& stored = (*found)[tenant];
                stored = stored_incidents(database_.tables, tenant, since == earliest.end() ? std::nullopt : std::optional{since->second});
                stored.last_number = last;
            }
            return WriteFate::committed;
        });
        return found;
    }
    WriteFate write(const std::vector<server::LaneMove>& moves, const std::vector<server::ResultRows>& rows) override {
        return attempt([&](Session& session) -> std::optional<WriteFate> {
            database_.call(session);
            database_.wait_for_lanes(session);
            auto moved = std::make_shared<bool>(true);
            const auto reply = database_.commit(session, false, [&database = database_, moves, rows, moved] { *moved = database.apply(moves, rows); });
            if (reply == Database::Reply::broken) return std::nullopt;
            return *moved ? WriteFate::committed : WriteFate::fenced;
        });
    }
    std::optional<WriteFate> find_out(const std::vector<server::LaneMove>& moves) override {
        std::optional<WriteFate> found;
        attempt([&](Session& session) -> std::optional<WriteFate> {
            database_.call(session);
            auto fate = WriteFate::committed;
            for (const auto& move : moves) {
                const auto& lane = database_.lanes.at(move.lane);
                if (lane.epoch != move.epoch) return found = WriteFate::fenced;
                if (lane.done != move.to) fate = WriteFate::failed;
            }
            return found = fate;
        });
        return found;
    }
    WriteFate append_ticks(const std::vector<engine::TenantId>& tenants) override {
        return attempt([&](Session& session) -> std::optional<WriteFate> {
            for (const auto tenant : tenants) {
                database_.lock_log(session);
                session.in_transaction_since.reset();
                database_.unlock_log(session);
                if (!database_.append_control(tenant, clock_(), "tick", api::json::control_to_text(engine::Tick{}))) return std::nullopt;
                database_.call(session);
            }
            return WriteFate::committed;
        });
    }
    const std::string& reason() const override { return reason_; }

private:
    template <class Work>
    WriteFate attempt(Work&& work) {
        try {
            if (!session_) session_.emplace(database_, process_);
            const auto fate = work(**session_);
            if (fate) return *fate;
        } catch (const server::PqError& error) {
            reason_ = error.what();
        }
        session_.reset();
        return WriteFate::failed;
    }

    Database& database_;
    Scheduler::Process process_;
    std::function<engine::Timestamp()> clock_;
    std::optional<OwnedSession> session_;
    std::string reason_ = "torn";
};

class SimulatedKeeper final : public server::SnapshotKeeper {
public:
    SimulatedKeeper(Database& database, Scheduler& scheduler, Scheduler::Process process, int keep)
        : database_{database}, scheduler_{scheduler}, process_{process}, keep_{keep} {}
    ~SimulatedKeeper() override { state_->stopping = true; }
    SimulatedKeeper(const SimulatedKeeper&) = delete;
    SimulatedKeeper& operator=(const SimulatedKeeper&) = delete;
    bool busy() const override { return state_->busy; }
    void keep(server::SnapshotSet set) override {
        state_->busy = true;
        scheduler_.spawn(process_, [&database = database_, process = process_, keep = keep_, state = state_, set = std::move(set)] {
            try {
                const OwnedSession session{database, process};
                SimulatedSnapshots{database, session}.write(set, keep, [&] { return state->stopping; });
            } catch (const server::PqError&) {
                // One that could not be stored is dropped.
            }
            state->busy = false;
        });
    }

private:
    struct State {
        bool busy = false;
        bool stopping = false;
    };
    Database& database_;
    Scheduler& scheduler_;
    Scheduler::Process process_;
    int keep_;
    std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace

std::unique_ptr<server::LaneSession> SimulatedLaneDatabase::connect() {
    return std::make_unique<SimulatedSession>(database_, scheduler_, process_, options_.silence);
}
std::unique_ptr<server::ResultStore> SimulatedLaneDatabase::results() { return std::make_unique<SimulatedResults>(database_, process_, clock_); }
std::unique_ptr<server::SnapshotKeeper> SimulatedLaneDatabase::snapshot_keeper(server::ProgressBoard&) {
    return std::make_unique<SimulatedKeeper>(database_, scheduler_, process_, options_.snapshots_kept);
}

}  // namespace catenary::simulator
