#include "engine/lane/definitions.hpp"

#include <boost/container_hash/hash.hpp>

namespace catenary::engine {

std::size_t Definitions::Hash::operator()(const Definition& definition) const {
    std::size_t seed = definition.source.value();
    boost::hash_combine(seed, definition.domain.value());
    boost::hash_combine(seed, definition.name.value());
    for (const Symbol tactic : definition.tactics) boost::hash_combine(seed, tactic.value());
    boost::hash_combine(seed, definition.tactics.size());
    for (const Symbol technique : definition.techniques) boost::hash_combine(seed, technique.value());
    boost::hash_combine(seed, static_cast<unsigned>(definition.severity));
    return seed;
}

DefinitionId Definitions::intern(const SignalView& signal, StringPool& strings) {
    scratch_.source = strings.intern(signal.source);
    scratch_.domain = strings.intern(signal.domain);
    scratch_.name = strings.intern(signal.name);
    scratch_.tactics.clear();
    for (const std::string& tactic : signal.tactics) scratch_.tactics.push_back(strings.intern(tactic));
    scratch_.techniques.clear();
    for (const std::string& technique : signal.techniques) scratch_.techniques.push_back(strings.intern(technique));
    scratch_.severity = signal.severity;
    if (const auto found = index_.find(scratch_); found != index_.end()) return found->second;

    DefinitionId id{static_cast<std::uint32_t>(entries_.size())};
    if (free_.empty()) {
        entries_.emplace_back();
    } else {
        id = DefinitionId{free_.back()};
        free_.pop_back();
    }
    entries_[id.value()] = Entry{.definition = scratch_, .is_known = true, .generation = 0, .matches = {}};
    index_.emplace(scratch_, id);
    return id;
}

void Definitions::keep(const std::vector<bool>& named) {
    for (std::uint32_t i = 0; i < entries_.size(); ++i) {
        Entry& entry = entries_[i];
        if (!entry.is_known || named[i]) continue;
        index_.erase(entry.definition);
        entry = Entry{};
        free_.push_back(i);
    }
}

const std::vector<DefinitionMatch>* Definitions::matches(DefinitionId id, std::uint64_t generation) const {
    const Entry& entry = entries_[id.value()];
    return entry.generation == generation ? &entry.matches : nullptr;
}

const std::vector<DefinitionMatch>& Definitions::note(DefinitionId id, std::uint64_t generation, std::vector<DefinitionMatch> matches) {
    Entry& entry = entries_[id.value()];
    entry.generation = generation;
    entry.matches = std::move(matches);
    return entry.matches;
}

std::size_t Definitions::bytes() const { return index_.size() * (sizeof(Entry) + sizeof(std::pair<Definition, DefinitionId>) + 64); }

}  // namespace catenary::engine
