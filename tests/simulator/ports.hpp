#pragma once

#include "server/ingest/ingest_store.hpp"
#include "server/lanes/lane_database.hpp"
#include "server/lanes/lane_worker.hpp"
#include "tests/simulator/database.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace catenary::simulator {

/// A session that ends with its owner.
class OwnedSession {
public:
    OwnedSession(Database& database, Scheduler::Process process) : database_{database}, session_{database.connect(process)} {}
    ~OwnedSession() { database_.close(session_); }
    OwnedSession(const OwnedSession&) = delete;
    OwnedSession& operator=(const OwnedSession&) = delete;
    Session& operator*() const { return *session_; }
    Session* operator->() const { return session_; }
    Session* get() const { return session_; }

private:
    Database& database_;
    Session* session_;
};

/// What the committer of a process sees of the database.
class SimulatedIngestStore final : public server::IngestStore {
public:
    SimulatedIngestStore(Database& database, Scheduler::Process process) : database_{database}, process_{process} {}

    void connect() override;
    bool connected() const override { return session_ && !(*session_)->broken; }
    void disconnect() override { session_.reset(); }
    server::DigestKey digest_key() override;
    std::map<engine::TenantId, std::int16_t> lanes_of(std::span<const std::int32_t> tenants) override;
    server::LeafCalendar calendar() override;
    std::set<server::Day> leaves() override;
    void make_leaf(server::Day leaf) override;
    void each_stored(server::Day leaf, server::Day end, const std::function<bool(const server::DedupSet::Stored&)>& take) override;
    void begin() override;
    std::vector<server::DedupSet::Stored> stored_already(std::span<const server::SignalKey> keys, const server::LeafCalendar& calendar) override;
    engine::Position write(const server::Group& group, const server::LeafCalendar& calendar, engine::Timestamp received) override;
    server::CommitFate commit() override;
    void roll_back() noexcept override;
    const server::PqError& failure() const override { return failure_; }
    void probe_room() override {}  // there always is

private:
    Session& session();

    Database& database_;
    Scheduler::Process process_;
    std::optional<OwnedSession> session_;
    Database::GroupChange change_;
    server::PqError failure_{"torn", "", true};
};

/// What the lane worker of a process sees of it.
class SimulatedLaneDatabase final : public server::LaneDatabase {
public:
    /// `clock`: of the database.
    SimulatedLaneDatabase(Database& database, Scheduler& scheduler, Scheduler::Process process, const server::LaneWorkerOptions& options,
                          std::function<engine::Timestamp()> clock)
        : database_{database}, scheduler_{scheduler}, process_{process}, options_{options}, clock_{std::move(clock)} {}
    std::unique_ptr<server::LaneSession> connect() override;
    std::unique_ptr<server::ResultStore> results() override;
    std::unique_ptr<server::SnapshotKeeper> snapshot_keeper(server::ProgressBoard& board) override;

private:
    Database& database_;
    Scheduler& scheduler_;
    Scheduler::Process process_;
    const server::LaneWorkerOptions options_;
    const std::function<engine::Timestamp()> clock_;
};

}  // namespace catenary::simulator
