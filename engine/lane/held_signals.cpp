#include "engine/lane/held_signals.hpp"

#include "engine/model/assert.hpp"

#include <algorithm>

namespace catenary::engine {

SignalHandle HeldSignals::add(const SignalView& signal, Position position, bool late, DefinitionId definition, std::span<const LinkEntity> links,
                              std::span<const EntityId> shown) {
    const Definition& known = definitions_[definition];
    const SignalHandle handle = window_.add(signal, position, late, known.source, known.domain, known.name, links);
    if (handle.value() >= facts_.size()) facts_.resize(handle.value() + 1);
    facts_[handle.value()] = Facts{.holders = 0, .definition = definition, .findings = {}};
    definitions_.use(definition);
    if (!shown.empty()) shown_[handle.value()].assign(shown.begin(), shown.end());
    each_entity(handle, [this](EntityId entity) { entities_.use(entity); });
    return handle;
}

void HeldSignals::give_back(SignalHandle handle) {
    Facts& facts = facts_[handle.value()];
    CATENARY_ASSERT(facts.holders > 0, "a signal is given back once for each time it was taken");
    if (--facts.holders > 0) return;
    CATENARY_ASSERT(facts.findings.empty(), "a finding holds its evidence");
    definitions_.give_back(facts.definition);
    each_entity(handle, [this](EntityId entity) { entities_.give_back(entity); });
    shown_.erase(handle.value());
    window_.release(handle);
}

void HeldSignals::give_back(std::span<const SignalHandle> handles) {
    for (const SignalHandle handle : handles) give_back(handle);
}

void HeldSignals::detach(SignalHandle handle, FindingIndex finding) {
    auto& findings = facts_[handle.value()].findings;
    const auto found = std::find(findings.begin(), findings.end(), finding);
    CATENARY_ASSERT(found != findings.end(), "only evidence is detached");
    *found = findings.back();
    findings.pop_back();
}

std::vector<SignalHandle> HeldSignals::all() const {
    std::vector<SignalHandle> handles;
    for (std::uint32_t i = 0; i < facts_.size(); ++i) {
        if (facts_[i].holders > 0) handles.emplace_back(i);
    }
    return handles;
}

std::size_t HeldSignals::bytes() const { return window_.bytes() + facts_.size() * (sizeof(Facts) + sizeof(FindingIndex)) + shown_.size() * 64; }

}  // namespace catenary::engine
