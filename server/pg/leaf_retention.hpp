#pragma once

#include "server/ingest/leaves.hpp"
#include "server/pg/dsn.hpp"
#include "server/rounds.hpp"

#include <pqxx/transaction_base>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>

namespace catenary::server::pg {

struct LeafRetentionOptions {
    std::string dsn;                    ///< acts as catenary_ingest
    int days = 0;                       ///< signals of earlier days go; 0: none do on behalf of this process
    std::chrono::seconds round{60};     ///< between looks
    std::chrono::minutes patience{10};  ///< from the refusal of a day's signals to the drop of its leaf, so that every process has heard of it
};

/// What went so far.
struct RetentionUsage {
    Day first_kept = 0;          ///< signals of days before it are refused
    std::int64_t dropped = 0;    ///< leaves, by this process
    std::int64_t postponed = 0;  ///< rounds that ended because no saved state of the lanes held what was to go
    std::int64_t failed = 0;     ///< rounds that the database failed
};

/// Keeps signals for so many days, in a thread of its own: refuses what is older, and drops leaves all of whose days are (migrations/0013_retention.sql).
/// Findings keep copies of their evidence. Several processes on one database may run one each; what one of them refuses, all do.
class LeafRetention {
public:
    explicit LeafRetention(LeafRetentionOptions options) : options_{std::move(options)} {}
    LeafRetention(const LeafRetention&) = delete;
    LeafRetention& operator=(const LeafRetention&) = delete;

    /// Learns what is refused, which is quick; drops from the first round on, so that nobody waits for it.
    void start();
    void stop() { rounds_.stop(); }

    /// Drops what is due; how many leaves. A failure is logged and left to the next round.
    std::int64_t run_once();

    /// Any thread. Before the first look: of all days.
    Day first_kept() const { return first_kept_; }
    RetentionUsage usage() const { return {first_kept_, dropped_, postponed_, failed_}; }

private:
    void announce(pqxx::transaction_base& session);
    template <class Work>
    void round(Work&& work);

    LeafRetentionOptions options_;
    std::atomic<Day> first_kept_ = LeafCalendar::first_day();
    std::atomic<std::int64_t> dropped_ = 0;
    std::atomic<std::int64_t> postponed_ = 0;
    std::atomic<std::int64_t> failed_ = 0;
    Rounds rounds_;
};

}  // namespace catenary::server::pg
