#pragma once

#include "engine/matching/pattern.hpp"
#include "engine/model/entity_key.hpp"
#include "engine/model/ids.hpp"
#include "engine/model/signal.hpp"
#include "engine/model/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace catenary::engine {

/// A stage that a chain has reached, and by which signal.
struct ChainStage {
    std::string id;
    SignalRef signal;
    bool operator==(const ChainStage&) const = default;
};

/// A chain that was over with one mandatory stage missing (semantics.md 4.4). Named by tenant, pattern, version, entity and start. Never changes.
struct NearMissRecord {
    std::string pattern;
    std::int32_t version = 1;
    Mode mode = Mode::production;
    EntityKey entity;                 ///< that links it
    std::vector<ChainStage> reached;  ///< in the order of the pattern
    std::string missing;              ///< id of the stage
    Timestamp start;
    Timestamp end;    ///< of what was reached
    Timestamp until;  ///< the missing stage might have come until then
};

/// How long a near miss is kept after `until`, in event time.
inline constexpr Duration near_miss_life = std::chrono::days{30};

/// A chain that is part-way.
struct PartialChain {
    std::string pattern;
    std::int32_t version = 1;
    Mode mode = Mode::production;
    std::string title;
    EntityKey entity;  ///< that links it
    std::vector<ChainStage> reached;
    std::vector<std::string> missing;  ///< mandatory stages, in the order of the pattern; not empty; the first is awaited
    std::int64_t stages = 0;           ///< mandatory stages in all
    Timestamp start;
    Timestamp end;
    Timestamp until;  ///< the awaited stage may begin until then, inclusive
};

/// The chains that lack fewest stages, then those that are furthest through the pattern, then the most recently active.
struct PartialChains {
    std::vector<PartialChain> chains;
    std::size_t found = 0;               ///< chains worked out, of which `chains` are the first
    bool is_complete = true;             ///< false: a bound was reached, so that others may exist
    std::optional<Timestamp> watermark;  ///< that waits are judged by
};

/// Which chains are asked for. Empty: all.
struct PartialWanted {
    std::vector<std::string> patterns;
    std::optional<EntityKey> entity;
    std::size_t most = 50;
};

/// What one version of a pattern that runs has been doing.
struct PatternHealth {
    std::string pattern;
    std::int32_t version = 1;
    Mode mode = Mode::production;
    std::int64_t attempts = 0;              ///< entities (or groups of signals) that something is held of
    std::int64_t bytes = 0;                 ///< of its matcher
    std::uint64_t work = 0;                 ///< steps of matching since this process has had the state
    std::int64_t signals = 0;               ///< that satisfied a stage, since it runs
    std::int64_t findings = 0;              ///< opened, since it runs
    std::int64_t near_misses = 0;           ///< told, since it runs
    std::int64_t near_misses_dropped = 0;   ///< beyond what is told of one day
    std::int64_t capped = 0;                ///< PatternMatcher::capped
    std::optional<Timestamp> last_signal;   ///< newest event time of `signals`
    std::optional<Timestamp> last_finding;  ///< newest end of a finding when it was opened or grew
    std::int64_t held = 0;                  ///< signals that it holds
    std::int64_t held_most = 0;             ///< and may hold
    std::int64_t evicted = 0;               ///< forgotten before their time, since it held that many
    std::int64_t turned_away = 0;           ///< found no room, and wait to be matched again
};
struct TenantHealth {
    std::vector<PatternHealth> patterns;  ///< in the order in which they came to run
    std::int64_t bytes = 0;               ///< of everything the engine holds of the tenant
    std::optional<Timestamp> newest;      ///< event time seen
};

/// Lets so many near misses a day through, a day of the watermark. What does not get through is counted.
class NearMissAllowance {
public:
    static constexpr std::int64_t most_of_pattern = 200;
    static constexpr std::int64_t most_of_tenant = 5'000;

    NearMissAllowance() = default;  ///< of a pattern
    explicit NearMissAllowance(std::int64_t most) : most_{most} {}
    /// Whether another one may be told. The watermark never goes back.
    bool has_room(Timestamp watermark);
    void take();
    void drop() { ++dropped_; }
    std::int64_t taken() const { return taken_; }      ///< ever
    std::int64_t dropped() const { return dropped_; }  ///< ever
    template <class Archive, class Self>
    static void fields(Archive& archive, Self& self) {
        archive(self.day_, self.today_, self.taken_, self.dropped_);
    }

private:
    std::int64_t most_ = most_of_pattern;
    std::optional<Timestamp> day_;
    std::int64_t today_ = 0;
    std::int64_t taken_ = 0;
    std::int64_t dropped_ = 0;
};

}  // namespace catenary::engine
