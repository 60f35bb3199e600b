#include "engine/lane/held_signals.hpp"

#include "engine/model/assert.hpp"

#include <algorithm>

namespace catenary::engine {

SignalHandle HeldSignals::add(const SignalView& signal, bool late, DefinitionId definition, std::span<const LinkEntity> links,
                              std::span<const EntityId> shown) {
    const Definition& known = definitions_[definition];
    const SignalHandle handle = window_.add(signal, late, Origin{definition.value()}, known.source, known.domain, known.name, links);
    holders_.grow_to(handle.value() + 1);
    holders_[handle.value()] = 0;
    if (!shown.empty()) shown_[handle.value()].assign(shown.begin(), shown.end());
    return handle;
}

void HeldSignals::give_back(SignalHandle handle) {
    std::uint32_t& holders = holders_[handle.value()];
    CATENARY_ASSERT(holders > 0, "a signal is given back once for each time it was taken");
    if (--holders > 0) return;
    CATENARY_ASSERT(!findings_.contains(handle.value()), "a finding holds its evidence");
    if (!shown_.empty()) shown_.erase(handle.value());
    window_.release(handle);
}

void HeldSignals::give_back(std::span<const SignalHandle> handles) {
    for (const SignalHandle handle : handles) give_back(handle);
}

void HeldSignals::detach(SignalHandle handle, FindingIndex finding) {
    const auto place = findings_.find(handle.value());
    CATENARY_ASSERT(place != findings_.end(), "only evidence is detached");
    auto& findings = place->second;
    const auto found = std::find(findings.begin(), findings.end(), finding);
    CATENARY_ASSERT(found != findings.end(), "only evidence is detached");
    *found = findings.back();
    findings.pop_back();
    if (findings.empty()) findings_.erase(place);
}

std::vector<SignalHandle> HeldSignals::all() const {
    std::vector<SignalHandle> handles;
    for (std::uint32_t i = 0; i < holders_.size(); ++i) {
        if (holders_[i] > 0) handles.emplace_back(i);
    }
    return handles;
}

std::size_t HeldSignals::bytes() const {
    return window_.bytes() + holders_.bytes() + findings_.bucket_count() * (sizeof(decltype(findings_)::value_type) + 1) + shown_.size() * 64;
}

}  // namespace catenary::engine
