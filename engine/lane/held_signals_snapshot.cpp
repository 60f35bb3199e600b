#include "engine/lane/dictionary.hpp"
#include "engine/lane/held_signals.hpp"
#include "engine/snapshot/codec.hpp"

namespace catenary::engine {

void HeldSignals::save(SnapshotWriter& out) const {
    out(holders_.size());
    for (std::size_t i = 0; i < holders_.size(); ++i) out(holders_[i]);
    window_.save_places(out);
    for (const SignalHandle signal : all()) {
        out(definition(signal));
        window_.save_signal(signal, out);
        const auto shown = shown_.find(signal.value());
        out(shown == shown_.end() ? std::vector<EntityId>{} : shown->second);
    }
}

void HeldSignals::load(SnapshotReader& in, const StringPool& strings) {
    std::vector<bool> used;
    for (std::size_t left = in.count(); left > 0; --left) {
        const std::size_t place = holders_.size();
        holders_.grow_to(place + 1);
        in(holders_[place]);
        used.push_back(holders_[place] > 0);
    }
    window_.load_places(used, in);
    for (const SignalHandle signal : all()) {
        DefinitionId definition;
        in(definition);
        const Definition& known = definitions_[definition];
        window_.load_signal(signal, Origin{definition.value()}, known.source, known.domain, known.name, strings[known.source], in);
        std::vector<EntityId> shown;
        in(shown);
        if (!shown.empty()) shown_.emplace(signal.value(), std::move(shown));
    }
    in.places().signals = std::move(used);
}

}  // namespace catenary::engine
