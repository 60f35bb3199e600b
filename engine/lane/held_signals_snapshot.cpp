#include "engine/lane/dictionary.hpp"
#include "engine/lane/held_signals.hpp"
#include "engine/snapshot/codec.hpp"

namespace catenary::engine {

void HeldSignals::save(SnapshotWriter& out) const {
    out(facts_.size());
    for (const Facts& facts : facts_) out(facts.holders);
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
        in(facts_.emplace_back().holders);
        used.push_back(facts_.back().holders > 0);
    }
    window_.load_places(used, in);
    for (const SignalHandle signal : all()) {
        DefinitionId& definition = facts_[signal.value()].definition;
        in(definition);
        definitions_.use(definition);
        const Definition& known = definitions_[definition];
        window_.load_signal(signal, known.source, known.domain, known.name, strings[known.source], in);
        std::vector<EntityId> shown;
        in(shown);
        if (!shown.empty()) shown_.emplace(signal.value(), std::move(shown));
        each_entity(signal, [this](EntityId entity) { entities_.use(entity); });
    }
    in.places().signals = std::move(used);
}

}  // namespace catenary::engine
