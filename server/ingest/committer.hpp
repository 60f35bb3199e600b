#pragma once

#include "engine/model/time.hpp"
#include "server/ingest/hand_off.hpp"
#include "server/ingest/ingest_store.hpp"
#include "server/ingest/leaves.hpp"
#include "server/ingest/signal_sink.hpp"
#include "server/ingest/source_registry.hpp"
#include "server/ingest/stored_keys.hpp"
#include "server/ingest/watermarks.hpp"
#include "server/pace.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace catenary::server {

struct CommitterOptions {
    std::string dsn;                                     ///< libpq connection string that acts as catenary_ingest (pg::Database::dsn)
    std::size_t queue_items = 60'000;                    ///< signals waiting at most; beyond: overloaded
    std::size_t queue_bytes = 192U << 20U;               ///< request bytes waiting at most
    std::size_t group_items = 5'000;                     ///< signals in one transaction at most (one request always fits)
    std::chrono::milliseconds linger{5};                 ///< how long a group waits for more at most while requests come in side by side
    std::size_t dedup_bytes = 512U << 20U;               ///< memory of the set that finds repeats
    std::size_t dictionary_bytes = 96U << 20U;           ///< memory of the entity and definition maps
    std::chrono::milliseconds hand_off_patience{1'000};  ///< how long a committed group waits for a lane worker that is behind
    /// What the database's disk has too little of, for people, before PostgreSQL itself fails for it; nothing is written meanwhile. Called by the writer
    /// thread before each group. May be empty.
    std::function<std::optional<std::string>()> shortage = {};
    /// The first day of which signals are kept. Called by the writer thread before each group. May be empty: all that have a leaf.
    std::function<Day()> first_kept = {};
    std::chrono::milliseconds probe_round{1'000};  ///< between attempts to find room again after the database said that it has none
};

/// What the committer did since it started. Counters only grow.
struct CommitterStatus {
    enum class State { starting, running, reconnecting, stopped };
    State state = State::stopped;
    std::optional<std::string> storage_full;  ///< the database has no room left: nothing is taken in until there is; why, without addresses or secrets
    std::size_t waiting_items = 0;
    std::size_t waiting_bytes = 0;
    engine::Position last{0};                 ///< of the newest signal that this process committed; 0: none yet
    std::uint64_t groups = 0;                 ///< committed transactions
    std::chrono::microseconds commit_time{};  ///< spent on them and on groups that failed, from taking a group to its COMMIT's reply
    std::chrono::microseconds wait_time{};    ///< that requests spent waiting for their group to begin, summed
    std::size_t most_waiting_items = 0;       ///< beyond these two requests are refused
    std::size_t most_waiting_bytes = 0;
    std::uint64_t accepted = 0;
    std::uint64_t duplicates = 0;
    std::uint64_t conflicts = 0;
    std::uint64_t late = 0;
    std::uint64_t overloaded = 0;      ///< requests refused at the door
    std::uint64_t unavailable = 0;     ///< requests whose group failed before COMMIT, or was not tried
    std::uint64_t without_room = 0;    ///< of them, those for want of room on the database's disk
    std::uint64_t failures = 0;        ///< transactions, look-ups and preparations that the database failed, each logged or counted in a line of the log
    std::uint64_t unknown = 0;         ///< requests whose COMMIT went unanswered
    std::uint64_t key_collisions = 0;  ///< groups that met keys the dedup set did not know
    std::uint64_t handed_over = 0;     ///< groups given to the lane worker in memory
    std::uint64_t left_out = 0;        ///< groups the lane worker has to read back
    std::uint64_t dedup_entries = 0;
    std::uint64_t dedup_evicted = 0;

    /// "running", "storage_full: …", "starting", "reconnecting: the database cannot be reached", "stopped".
    std::string text() const;
};

/// From prepared requests to durable rows: one writer thread groups whatever waits into one transaction and answers each request after its COMMIT.
///
/// Nothing is answered `accepted` or `duplicate` before the COMMIT it depends on has returned. A lost connection before COMMIT means `unavailable`
/// for the group's requests, a lost reply to COMMIT means `unknown`. Reconnects by itself with back-off. Without a connection, or without room on the
/// database's disk, requests are refused at once; room is looked for by the writer itself, since a client that is refused may stay away.
class Committer final : public SignalSink, public StoredKeys {
public:
    using Clock = std::function<engine::Timestamp()>;

    /// `clock`: admission times, called by the writer thread. The references outlive the committer.
    Committer(CommitterOptions options, Clock clock, const Watermarks& watermarks, SourceRegistry& sources, HandOff& hand_off);
    /// On another store than PostgreSQL's, `options.dsn` unused, and at another pace.
    Committer(CommitterOptions options, std::unique_ptr<IngestStore> store, Clock clock, const Watermarks& watermarks, SourceRegistry& sources,
              HandOff& hand_off, const Pace& pace);
    ~Committer() override;
    Committer(const Committer&) = delete;
    Committer& operator=(const Committer&) = delete;

    /// Starts the writer thread, which connects and fills the dedup set before the first group; requests may be submitted at once.
    void start();
    /// What `start` does on a thread of its own: returns after `stop`. Instead of `start`.
    void run();
    /// Finishes what waits (at most `grace`), answers the rest `unavailable`, joins. Idempotent.
    void stop(std::chrono::milliseconds grace = std::chrono::seconds{10});

    /// Any thread; computes the keyed digests on the calling thread, then queues. `done` may run before this returns (overloaded).
    /// Needs a batch with at least one signal; one without is answered `committed` at once.
    void submit(engine::TenantId tenant, std::shared_ptr<api::ingest::PreparedBatch> batch, Done done) override;

    CommitterStatus status() const;

    /// From the dedup set: the newest signals, as many as it has memory for. Waits while a group is planned, some milliseconds at most.
    std::optional<SignalKey> key_of(engine::TenantId tenant, std::string_view source, std::string_view id) const override;

private:
    class Writer;
    std::unique_ptr<Writer> writer_;
};

}  // namespace catenary::server
