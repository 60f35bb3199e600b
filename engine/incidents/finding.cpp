#include "engine/incidents/finding.hpp"

#include <algorithm>

namespace catenary::engine {

Evidence::Added Evidence::add(SignalHandle signal, std::uint8_t stage, const HeldSignals& held, const Dictionary& dictionary) {
    const auto [place, is_new] = signals_.emplace(signal, stage);
    if (is_new) {
        tally(signal, stage, held, dictionary);
        return Added::is_new;
    }
    if (stage >= place->second) return Added::nothing;
    place->second = stage;
    retally(held, dictionary);
    return Added::earlier_stage;
}

void Evidence::rebuild(std::vector<std::pair<SignalHandle, std::uint8_t>> signals, const HeldSignals& held, const Dictionary& dictionary) {
    signals_.clear();
    for (const auto& [signal, stage] : signals) {
        const auto [place, is_new] = signals_.emplace(signal, stage);
        if (!is_new) place->second = std::min(place->second, stage);
    }
    retally(held, dictionary);
}

void Evidence::retally(const HeldSignals& held, const Dictionary& dictionary) {
    stages_.clear();
    definitions_.clear();
    domains_.clear();
    phases_ = PhaseTimes{};
    for (const auto& [signal, stage] : signals_) tally(signal, stage, held, dictionary);
}

void Evidence::tally(SignalHandle signal, std::uint8_t stage, const HeldSignals& held, const Dictionary& dictionary) {
    const SignalWindow& window = held.window();
    const WindowSignal& facts = window[signal];
    if (stage >= stages_.size()) stages_.resize(stage + 1U);
    StageTally& own = stages_[stage];
    ++own.count;
    if (!own.first || window.before(signal, *own.first)) own.first = signal;
    if (!own.heaviest) {
        own.heaviest = signal;
    } else {
        const float heaviest = window[*own.heaviest].confidence;
        if (facts.confidence > heaviest || (!(facts.confidence < heaviest) && window.before(signal, *own.heaviest))) own.heaviest = signal;
    }
    ++definitions_[held.definition(signal)];
    ++domains_[dictionary.definitions[held.definition(signal)].domain];
    for (int phase = 0; phase < 6; ++phase) {
        if ((facts.phases >> phase & 1U) != 0) phases_.add(phase, facts.time);
    }
}

std::vector<std::pair<SignalHandle, std::uint8_t>> Evidence::sorted(const SignalWindow& window) const {
    std::vector<std::pair<SignalHandle, std::uint8_t>> signals(signals_.begin(), signals_.end());
    std::sort(signals.begin(), signals.end(), [&](const auto& left, const auto& right) { return window.before(left.first, right.first); });
    return signals;
}

std::vector<SignalHandle> Evidence::by_handle() const {
    std::vector<SignalHandle> handles;
    handles.reserve(signals_.size());
    for (const auto& [signal, stage] : signals_) handles.push_back(signal);
    std::sort(handles.begin(), handles.end());
    return handles;
}

std::vector<DefinitionId> Evidence::definitions() const {
    std::vector<DefinitionId> ids;
    ids.reserve(definitions_.size());
    for (const auto& [id, count] : definitions_) ids.push_back(id);
    return ids;
}

}  // namespace catenary::engine
