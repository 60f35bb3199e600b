#pragma once

#include "engine/incidents/finding.hpp"
#include "engine/incidents/grouping.hpp"
#include "engine/lane/held_signals.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>

namespace catenary::engine {

/// Which findings analysts put together and apart, remembered beyond the findings themselves: a finding that a later reading of the same evidence puts
/// in the place of a placed one belongs where that one was. So each decision is kept twice: by the findings' ids, which decides, and by (pattern id,
/// evidence signal) for ids that come later; of several the greatest hand group, which is the latest decision, counts. What a finding's place is
/// depends on its id and evidence alone, not on the order in which the evidence came.
class HandPlacements {
public:
    /// `held` outlives it; a marked signal is held until `forget`.
    explicit HandPlacements(HeldSignals& held) : held_{held} {}
    HandPlacements(const HandPlacements&) = delete;
    HandPlacements& operator=(const HandPlacements&) = delete;

    bool empty() const { return placed_.empty() && marks_.empty(); }
    HandGroup next() { return HandGroup{++last_}; }

    /// A decision about a finding. `bystander(FindingIndex)` is called for each other finding that has some of its evidence.
    void place(const Finding& finding, HandGroup hand, const std::function<void(FindingIndex)>& bystander);
    /// Whatever happens to its evidence, this id stays where it is, unless a decision named it already.
    void leave_alone(const Finding& finding);
    /// Where it belongs; empty: where the rule puts it.
    std::optional<HandGroup> of(const Finding& finding) const;
    /// The same for a finding that was in `before` and gained `signal`.
    std::optional<HandGroup> grown(const Finding& finding, std::optional<HandGroup> before, SignalHandle signal) const;

    /// As if nothing had been decided.
    void clear();
    /// A finding leaves memory.
    void gone(const Finding& finding);
    /// Drops what no finding can ask for any more: ids that ended before `cutoff` and are not in memory, signals of before that nobody has as evidence.
    void forget(Timestamp cutoff, const std::function<bool(const FindingId&)>& in_memory);
    std::size_t bytes() const;
    template <class Archive, class Self>
    static void fields(Archive& archive, Self& self) {
        archive(self.placed_, self.marks_, self.last_);
    }

private:
    struct Placed {
        std::optional<HandGroup> hand;  // empty: left alone
        Timestamp end;
        template <class Archive, class Self>
        static void fields(Archive& archive, Self& self) {
            archive(self.hand, self.end);
        }
    };
    using Marks = boost::unordered_flat_map<SignalHandle, HandGroup, std::hash<SignalHandle>>;

    HeldSignals& held_;
    boost::unordered_flat_map<FindingId, Placed, FindingIdHash> placed_;
    std::map<std::string, Marks> marks_;  // by pattern id: a new version of a pattern goes on with the decisions about the one before
    std::int64_t last_ = 0;
};

}  // namespace catenary::engine
