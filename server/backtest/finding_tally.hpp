#pragma once

#include "api/ports/ports.hpp"
#include "engine/lane/effects.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace catenary::server {

/// What a backtest has found so far: every finding in short, the first ones in full, and whose evidence a signal is. Bounded by the three caps. One thread.
class FindingTally {
public:
    static constexpr std::size_t most_findings = 100'000;
    static constexpr std::size_t most_in_full = 200;         ///< of them those that come first; superseded ones take places too
    static constexpr std::size_t most_references = 200;      ///< of a finding in full
    static constexpr std::size_t most_evidence = 1'000'000;  ///< signals, over all findings

    using Index = std::uint32_t;
    struct Found {
        engine::FindingId id;
        engine::Timestamp start, end;
        bool superseded = false;
    };

    void take(const engine::TenantEffects& effects);

    /// No more findings are told apart: stop.
    bool full() const { return found_.size() > most_findings; }
    /// Evidence was left out.
    bool evidence_cut() const { return evidence_cut_; }
    std::int64_t live() const;
    /// In order of first sight; superseded ones among them.
    std::span<const Found> all() const { return found_; }
    /// The first `most` live ones by (start, id).
    std::vector<api::ports::FindingWithEvidence> first(std::size_t most) const;

    /// The live finding of this id, or with this signal as evidence.
    std::optional<Index> with_id(const engine::FindingId& id) const;
    std::optional<Index> with_evidence(std::string_view source, std::string_view id) const;

private:
    struct Full {
        engine::FindingRecord record;
        std::map<engine::SignalRef, std::string> evidence;  // the first ones
    };
    struct IdHash {
        std::size_t operator()(const engine::FindingId& id) const;
    };
    std::optional<Index> live_one(Index index) const;

    std::vector<Found> found_;
    boost::unordered_flat_map<engine::FindingId, Index, IdHash> by_id_;
    boost::unordered_flat_map<std::uint64_t, Index> by_evidence_;  // hash of (source, id); the finding that took it last
    std::map<Index, Full> full_;
    bool evidence_cut_ = false;
};

}  // namespace catenary::server
