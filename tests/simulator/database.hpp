#pragma once

#include "engine/model/ids.hpp"
#include "engine/model/time.hpp"
#include "server/ingest/digest.hpp"
#include "server/ingest/group.hpp"
#include "server/ingest/leaves.hpp"
#include "server/ingest/pq_error.hpp"
#include "server/ingest/signal_key.hpp"
#include "server/lanes/log_reader.hpp"
#include "server/lanes/result_store.hpp"
#include "server/lanes/snapshot_store.hpp"
#include "tests/simulator/dice.hpp"
#include "tests/simulator/scheduler.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace catenary::simulator {

/// How often what goes wrong: one call in so many; 0: never.
struct Weather {
    int breaks = 0;            ///< a session breaks before a call
    int commits_lost = 0;      ///< COMMIT does not arrive
    int replies_lost = 0;      ///< COMMIT is carried out, its reply is lost
    int commits_slow = 0;      ///< COMMIT arrives, its session is gone, and only later it is carried out or given up
    int slowest_call = 2'000;  ///< microseconds
    bool operator==(const Weather&) const = default;
};

/// A session of a process with the database.
struct Session {
    Scheduler::Process process = 0;
    bool broken = false;
    std::optional<Scheduler::Time> in_transaction_since;  ///< the last statement in it
};

/// A stored signal; what it names by number is in the dictionaries.
struct SignalRow {
    server::SignalKey key;
    engine::TenantId tenant;
    engine::Position position;
    engine::Timestamp time, received;
    std::int32_t definition = 0, title = 0;
    std::int16_t severity = 0;
    double confidence = 0;
    std::int64_t count = 1;
    std::string entities;  ///< PostgreSQL's binary array
    std::string roles, source_id, attributes, shown;
    std::int64_t content = 0;
    server::Day leaf = 0;
    const void* batch = nullptr;  ///< the request that brought it: an address only
    std::uint32_t place = 0;      ///< in that request

    server::StoredRow view() const;
};

struct BatchRow {
    std::int16_t lane = 0;
    engine::Position first, last;
    bool control = false;
};

struct LaneRow {
    std::int64_t epoch = 0;
    engine::Position done{0};
    std::string owner;
};

/// Rows of the result tables by the text of their key columns.
using Tables = std::map<std::string, std::map<std::string, nlohmann::ordered_json>>;

/// The database that all processes share: what is committed, the locks, and what a session sees. Everything happens at one moment; between moments others run.
class Database final : public server::NameSource {
public:
    Database(Scheduler& scheduler, Dice& dice, const Weather& weather) : scheduler_{scheduler}, dice_{dice}, weather_{weather} {}
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    /// The log without its results, as it would be read from an empty database.
    void copy_log(const Database& other);

    // Sessions.
    /// Throws PqError while the database is down.
    Session* connect(Scheduler::Process process);
    void close(Session* session);
    /// A statement of the session's thread: takes its time; throws PqError when the session is or gets broken.
    void call(Session& session);
    /// Ends all sessions of a process, or one at random.
    void end_sessions(Scheduler::Process process);
    void break_some_session();
    /// All sessions end; nobody connects before `until`. What was committed without waiting for the disk, and nothing after it was, is lost.
    void crash(Scheduler::Time until);

    // The log. A transaction holds it from `lock_log` until it ends.
    void lock_log(Session& session);
    void unlock_log(const Session& session);
    /// A control entry in a transaction of its own; false when the log is held.
    bool append_control(engine::TenantId tenant, engine::Timestamp admitted, std::string kind, std::string body);

    struct GroupChange {
        std::vector<SignalRow> rows;
        std::vector<BatchRow> batches;
    };
    enum class Reply { yes, broken };
    /// COMMIT of a group or of results, whatever the weather makes of it; `apply` makes the change. Throws Killed only.
    template <class Apply>
    Reply commit(Session& session, bool log, Apply apply);

    // Dictionaries (never rolled back: numbers without rows harm nobody).
    std::int32_t definition_id(const server::StoredDefinition& definition);
    std::int32_t title_id(const std::string& title);
    std::int64_t entity_id(engine::TenantId tenant, const server::StoredEntity& entity);
    const server::StoredDefinition& definition(std::int32_t id) const { return definitions_.at(static_cast<std::size_t>(id - 1)); }
    Found<std::int32_t, server::StoredDefinition> definitions(const std::vector<std::int32_t>& ids) override;
    Found<std::int32_t, std::string> titles(const std::vector<std::int32_t>& ids) override;
    Found<std::int64_t, server::StoredEntity> entities(const std::vector<std::int64_t>& ids) override;

    void apply(const GroupChange& change);
    /// Results with the moves of their lanes, or nothing: false.
    bool apply(const std::vector<server::LaneMove>& moves, const std::vector<server::ResultRows>& rows);
    void take_over(const server::ResultStore::TakeOver& wanted, server::LaneLeases& leases);
    bool any_results() const;
    void wait_for_lanes(Session& session);

    bool caught_up() const;
    /// A commit on its way is carried out or given up.
    void settle();
    bool is_settled() const { return slow_.empty() && log_holder_ == nullptr; }

    // What is committed.
    std::int64_t next_position = 1;
    std::optional<server::Understanding> made_by;
    std::map<engine::Position, SignalRow> signals;
    std::map<server::Day, std::map<server::SignalKey, engine::Position>> leaves;
    std::map<engine::Position, BatchRow> batches;  ///< by first
    std::map<engine::Position, server::ControlEntry> controls;
    std::map<engine::TenantId, std::int16_t> tenants;
    std::map<std::int16_t, LaneRow> lanes;
    Tables tables;
    struct KeptSnapshot {
        server::SnapshotSet set;
        bool damaged = false;
    };
    std::map<engine::Position, KeptSnapshot> snapshots;
    std::vector<std::pair<engine::Position, server::PostedPattern>> posted;
    Session* leader = nullptr;  ///< who holds the leader's lock
    Scheduler::Time beat{};
    server::DigestKey digest_key{1, 2, 3};

    // What happened.
    std::int64_t commits_torn = 0;
    std::int64_t fenced = 0;
    std::int64_t collisions = 0;

private:
    void durable();
    void end_transaction(const Session& session);

    Scheduler& scheduler_;
    Dice& dice_;
    const Weather& weather_;
    std::list<Session> sessions_;
    std::optional<Scheduler::Time> down_until_;
    const void* log_holder_ = nullptr;
    const void* lanes_holder_ = nullptr;
    struct Slow {
        Scheduler::Time at;
        bool commits = false;
        std::function<void()> apply;
    };
    std::list<Slow> slow_;
    /// As of before the first commit that the disk does not have yet: such a commit moves lanes and counts, nothing else.
    struct OnDisk {
        std::map<std::int16_t, LaneRow> lanes;
        Tables::mapped_type statuses;
    };
    std::optional<OnDisk> on_disk_;

    std::vector<server::StoredDefinition> definitions_;
    std::map<std::string, std::int32_t> definition_ids_;
    std::vector<std::string> titles_;
    std::map<std::string, std::int32_t> title_ids_;
    std::vector<server::StoredEntity> entities_;
    std::map<std::string, std::int64_t> entity_ids_;
};

template <class Apply>
Database::Reply Database::commit(Session& session, bool log, Apply apply) {
    session.in_transaction_since.reset();
    try {
        call(session);
    } catch (const server::PqError&) {
        ++commits_torn;
        return Reply::broken;  // it did not arrive
    }
    auto& holder = log ? log_holder_ : lanes_holder_;
    const auto give_up = [&] {
        ++commits_torn;
        session.broken = true;
        if (log) unlock_log(session);
        return Reply::broken;
    };
    if (dice_.once_in(weather_.commits_lost)) return give_up();
    if (dice_.once_in(weather_.commits_slow)) {
        ++commits_torn;
        slow_.push_back({scheduler_.now() + std::chrono::microseconds{dice_.pick(0, 400'000)}, dice_.percent(70), std::function<void()>{apply}});
        holder = &slow_.back();
        session.broken = true;
        return Reply::broken;
    }
    apply();
    if (log) unlock_log(session);
    if (dice_.once_in(weather_.replies_lost)) {
        ++commits_torn;
        session.broken = true;
        return Reply::broken;
    }
    try {
        call(session);
    } catch (const server::PqError&) {
        ++commits_torn;
        return Reply::broken;
    }
    return Reply::yes;
}

}  // namespace catenary::simulator
