#pragma once

#include "engine/lane/lane.hpp"
#include "tests/oracle/oracle.hpp"
#include "tests/support/lane_story.hpp"

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

// What the definitions make of one tenant's log: its clock, which signals are late, by what they link, which version of a pattern is in force for which of
// them, and the findings of each. Written without a look at the lane; predicates and fields are the engine's own.

namespace catenary::oracle {

/// Event time at some position.
struct Clock {
    std::optional<engine::Timestamp> newest;     ///< event time of a signal
    std::optional<engine::Timestamp> watermark;  ///< never falls
    std::optional<engine::Timestamp> horizon;    ///< never falls
    bool held = false;
};

/// A version of a pattern that ran for the tenant.
struct Version {
    std::shared_ptr<const engine::Pattern> pattern;
    engine::Mode mode;
    engine::Timestamp effective_from;
    std::size_t since = 0;  ///< signals before it in the log
    struct End {
        std::size_t signals;                            ///< before it in the log
        engine::Timestamp watermark;                    ///< just before it; the earliest there is where there was none
        std::optional<engine::Timestamp> taken_back{};  ///< by the version after it: what has activity later than that
    };
    std::optional<End> end{};
};

class TenantLog {
public:
    /// `entries`: of one tenant, in position order. `shipped`: in every tenant from the beginning. Throws std::invalid_argument where a version that ran is
    /// posted again: of that it knows nothing.
    TenantLog(const engine::Catalogue& shipped, std::span<const test::LogEntry> entries);

    const Clock& clock() const { return clock_; }
    std::size_t signals() const { return signals_.size(); }
    std::size_t late() const;
    std::size_t behind_horizon() const;
    const std::vector<Version>& versions() const { return versions_; }

    /// The signals that the version reads, as it reads them. At most 64 can be given to the oracle.
    std::vector<Signal> read_by(const Version& version) const;
    /// What there is of it at the end of the log. Findings that began to wait when it ended are none.
    std::vector<Finding> findings(const Version& version) const;
    /// Whether a signal that it wants came, while it ran, when the time of that signal had been forgotten.
    bool saw_behind_horizon(const Version& version) const;
    /// How much work `findings` is: choices of occurrences for all stages, as if none was ruled out by those before it.
    double choices(const Version& version) const;

    /// Scores of a finding by the base rates that the tenant has set, the one in force first: what was forgotten is not scored anew.
    std::vector<double> scores(const std::map<engine::SignalRef, std::size_t>& evidence) const;

    /// How many incidents of a pattern and day stand alone; empty: that changed when there were signals, of which some incidents may have ended before.
    std::optional<std::int64_t> daily_incidents() const { return daily_incidents_; }

    const engine::EntityKey& entity(std::uint32_t number) const { return entities_.at(number); }

private:
    struct Arrived {
        engine::Signal signal;
        bool late;
        bool behind_horizon;
    };
    void advance(std::optional<engine::Timestamp> reached);
    void move_watermark(engine::Timestamp to);
    void take(const engine::Signal& signal, engine::Timestamp admitted);
    void take(const engine::ControlBody& body, engine::Timestamp admitted);
    void change(const engine::PatternChange& change);
    Signal read(const engine::Pattern& pattern, const Arrived& arrived) const;
    engine::Timestamp watermark() const { return clock_.watermark.value_or(engine::Timestamp::min()); }
    engine::Timestamp newest() const { return clock_.newest.value_or(engine::Timestamp::min()); }
    std::uint32_t number_of(const engine::EntityKey& entity);

    Clock clock_;
    std::optional<engine::Timestamp> reached_;  // of min(event time, admission) and of ticks, the newest
    engine::Duration lateness_ = std::chrono::hours{1};
    std::vector<double> base_rates_{0.01};
    std::optional<std::int64_t> daily_incidents_ = 10'000;
    std::vector<Arrived> signals_;
    std::vector<Decision> decisions_;
    std::vector<Version> versions_;
    std::vector<engine::EntityKey> entities_;
    std::map<engine::EntityKey, std::uint32_t> numbers_;
};

}  // namespace catenary::oracle
