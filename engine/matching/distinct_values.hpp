#pragma once

#include "engine/matching/stage_plan.hpp"
#include "engine/matching/window.hpp"
#include "engine/snapshot/snapshot_fwd.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace catenary::engine {

/// The values that signals offer to stages counting distinct ones, each text numbered once. The numbers of texts nobody holds are reused.
class DistinctValues {
public:
    using Value = std::uint32_t;

    void add(SignalHandle signal, StageIndex stage, std::span<const std::string> values);
    /// Sorted, each once; empty for a signal that offers none.
    std::span<const Value> operator()(SignalHandle signal, StageIndex stage) const;
    void forget(SignalHandle signal, StageMask stages);
    std::size_t bytes() const { return bytes_; }
    /// The numbers of the texts do not show: they depend on which were forgotten when.
    void save(SnapshotWriter& out) const;
    void load(SnapshotReader& in);

private:
    struct Use {
        Value value;
        std::uint32_t holders;
    };
    using Texts = std::map<std::string, Use, std::less<>>;  // ordered: the texts are chosen by senders, who must not be able to make them collide

    static std::uint64_t key(SignalHandle signal, StageIndex stage) { return (std::uint64_t{signal.value()} << 4U) | stage; }
    static std::size_t bytes_of(const Texts::value_type& text) { return sizeof(Texts::value_type) + text.first.capacity() + 4 * sizeof(void*); }

    boost::unordered_flat_map<std::uint64_t, std::vector<Value>> values_;  // by signal and stage
    Texts texts_;
    std::vector<Texts::iterator> places_;  // by value
    std::vector<Value> free_;
    std::size_t bytes_ = 0;
};

}  // namespace catenary::engine
