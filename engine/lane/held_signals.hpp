#pragma once

#include "engine/incidents/finding_order.hpp"
#include "engine/lane/definitions.hpp"
#include "engine/matching/window.hpp"
#include "engine/snapshot/snapshot_fwd.hpp"

#include <boost/container/small_vector.hpp>
#include <boost/unordered/unordered_flat_map.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace catenary::engine {

/// The signals that some matcher or finding of a tenant still needs: the window, plus what grouping and records read of a signal. Each matcher that
/// took a signal and each finding that has it as evidence holds it once; the last one to give it back frees its place.
class HeldSignals {
public:
    explicit HeldSignals(const Definitions& definitions) : definitions_{definitions} {}

    /// `shown`: entities that the signal mentions without linking by them. Held by nobody yet: `take` before anything can give back.
    SignalHandle add(const SignalView& signal, bool late, DefinitionId definition, std::span<const LinkEntity> links, std::span<const EntityId> shown);
    void take(SignalHandle handle) { ++holders_[handle.value()]; }
    void give_back(SignalHandle handle);
    void give_back(std::span<const SignalHandle> handles);

    const SignalWindow& window() const { return window_; }
    DefinitionId definition(SignalHandle handle) const { return DefinitionId{window_[handle].origin.value()}; }
    /// Calls `visit(EntityId)` for each entity the signal mentions, linking or not.
    template <class Visit>
    void each_entity(SignalHandle handle, Visit visit) const {
        for (const LinkEntity& link : window_.links(handle)) visit(link.entity);
        if (const auto shown = shown_.find(handle.value()); shown != shown_.end()) {
            for (const EntityId entity : shown->second) visit(entity);
        }
    }

    /// The findings whose evidence holds the signal; few: at most a handful for each pattern.
    std::span<const FindingIndex> findings(SignalHandle handle) const {
        const auto found = findings_.find(handle.value());
        return found == findings_.end() ? std::span<const FindingIndex>{} : std::span<const FindingIndex>{found->second.data(), found->second.size()};
    }
    void attach(SignalHandle handle, FindingIndex finding) { findings_[handle.value()].push_back(finding); }
    void detach(SignalHandle handle, FindingIndex finding);

    /// Every held signal, by place.
    std::vector<SignalHandle> all() const;
    std::size_t bytes() const;
    /// Which findings have them as evidence is left out: the findings say so again.
    void save(SnapshotWriter& out) const;
    void load(SnapshotReader& in, const StringPool& strings);

private:
    const Definitions& definitions_;
    SignalWindow window_;
    Chunks<std::uint32_t> holders_;                                                                       // by handle
    boost::unordered_flat_map<std::uint32_t, boost::container::small_vector<FindingIndex, 2>> findings_;  // of evidence
    boost::unordered_flat_map<std::uint32_t, std::vector<EntityId>> shown_;                               // few signals have any
};

}  // namespace catenary::engine
