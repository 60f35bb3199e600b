#pragma once

#include "engine/lane/near_misses.hpp"
#include "engine/lane/rematches.hpp"
#include "engine/lane/string_pool.hpp"
#include "engine/matching/matcher.hpp"
#include "engine/matching/pattern.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace catenary::engine {

/// What a deployment has done since it runs: what follows from its entries.
struct DeploymentActivity {
    std::int64_t signals = 0;   ///< that satisfied a stage
    std::int64_t findings = 0;  ///< opened
    std::optional<Timestamp> last_signal;
    std::optional<Timestamp> last_finding;  ///< newest end of one that was opened or grew
    NearMissAllowance near_misses{};
    std::int64_t evicted = 0;      ///< signals that it forgot before their time, since it held as many as one pattern may
    std::int64_t turned_away = 0;  ///< signals that it had no room for: they wait to be matched again from the store

    void saw(Timestamp signal) {
        ++signals;
        last_signal = last_signal ? std::max(*last_signal, signal) : signal;
    }
    void found(const std::vector<FindingDelta>& deltas);
    template <class Archive, class Self>
    static void fields(Archive& archive, Self& self) {
        archive(self.signals, self.findings, self.last_signal, self.last_finding, self.near_misses, self.evicted, self.turned_away);
    }
};

/// One version of a pattern that runs for a tenant, beside production or in it.
struct Deployment {
    std::shared_ptr<const Pattern> pattern;
    Mode mode;                          ///< flighting or production
    std::vector<Symbol> link_kinds;     ///< sorted; empty: unlinked
    std::vector<Symbol> grouped_kinds;  ///< those that a stage is repeated `by`, sorted: entities of these link even where they are denied
    Timestamp effective_from;           ///< instances count whose last completing signal is later
    PatternMatcher matcher;
    DeploymentActivity activity = {};
    std::unique_ptr<Rematches> rematches = {};  ///< null: none
    std::int64_t held = 0;                      ///< signals that its matcher holds
    std::optional<Timestamp> horizon = {};      ///< where it is later than the tenant's: it held too much

    Rematches& rematching() {
        if (!rematches) rematches = std::make_unique<Rematches>();
        return *rematches;
    }
};

/// Attribute paths that the pattern's predicates and `distinct` fields read.
std::set<std::string> attribute_paths(const Pattern& pattern);

/// How far before an instance's last completing signal its evidence can lie, and what must be absent; as long after it at most absence is judged.
Duration reach(const Pattern& pattern);

/// With the watermark so much after its end, or more, an instance is not waiting for absence any more; zero where it never waits beyond its end.
Duration longest_wait(const Pattern& pattern);

}  // namespace catenary::engine
