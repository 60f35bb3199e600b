#pragma once

#include "engine/lane/string_pool.hpp"
#include "engine/model/severity.hpp"
#include "engine/model/signal.hpp"
#include "engine/snapshot/snapshot_fwd.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <compare>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace catenary::engine {

using DefinitionId = StrongId<struct DefinitionTag, std::uint32_t>;

/// What repeats from signal to signal and decides static predicates.
struct Definition {
    Symbol source;
    Symbol domain;
    Symbol name;
    std::vector<Symbol> tactics;
    std::vector<Symbol> techniques;
    Severity severity = Severity::informational;
    template <class Archive, class Self>
    static void fields(Archive& archive, Self& self) {
        archive(self.source, self.domain, self.name, self.tactics, self.techniques, self.severity);
    }
    friend bool operator==(const Definition&, const Definition&) = default;
};

/// Which stages of one deployment a definition satisfies by itself, and which need the signal's other members to tell.
struct DefinitionMatch {
    std::uint32_t deployment;  ///< number of the deployment
    std::uint16_t certain;     ///< bit i: stage i is satisfied
    std::uint16_t open;        ///< bit i: stage i has to be evaluated on the signal
};

/// The definitions seen lately, each with the stages it satisfies. Numbers of forgotten ones are used again.
class Definitions {
public:
    DefinitionId intern(const SignalView& signal, StringPool& strings);
    const Definition& operator[](DefinitionId id) const { return entries_[id.value()].definition; }

    /// What the stage index noted for a definition, or null when `generation` (of the set of deployments) is newer than the note.
    const std::vector<DefinitionMatch>* matches(DefinitionId id, std::uint64_t generation) const;
    const std::vector<DefinitionMatch>& note(DefinitionId id, std::uint64_t generation, std::vector<DefinitionMatch> matches);

    std::size_t size() const { return index_.size(); }
    /// How many numbers there are, of definitions and of forgotten ones.
    std::size_t places() const { return entries_.size(); }
    /// Forgets the definitions that are not `named`, which says so of each number.
    void keep(const std::vector<bool>& named);
    /// Calls `visit(const Definition&)` for each definition.
    template <class Visit>
    void each(Visit visit) const {
        for (const Entry& entry : entries_) {
            if (entry.is_known) visit(entry.definition);
        }
    }
    std::size_t bytes() const;
    void save(SnapshotWriter& out) const;
    void load(SnapshotReader& in);

private:
    struct Entry {
        Definition definition;
        bool is_known = false;         ///< false: a free place
        std::uint64_t generation = 0;  ///< of `matches`; 0: never noted
        std::vector<DefinitionMatch> matches;
    };
    struct Hash {
        std::size_t operator()(const Definition& definition) const;
    };

    std::vector<Entry> entries_;
    std::vector<std::uint32_t> free_;
    boost::unordered_flat_map<Definition, DefinitionId, Hash> index_;
    Definition scratch_;
};

}  // namespace catenary::engine
