#include "api/ingest/signal_views.hpp"

#include "api/ingest/attributes.hpp"

namespace catenary::api::ingest {
namespace {

/// Copies into strings that keep their memory from signal to signal.
std::span<const std::string> copied(std::span<const std::string_view> from, std::vector<std::string>& to) {
    if (to.size() < from.size()) to.resize(from.size());
    for (std::size_t i = 0; i < from.size(); ++i) to[i].assign(from[i]);
    return {to.data(), from.size()};
}

}  // namespace

const engine::SignalView& SignalViews::of(const PreparedSignal& signal, const std::set<std::string>& paths) {
    entities_.clear();
    for (const auto& entity : signal.entities) entities_.push_back({entity.kind, entity.value, entity.identifies});
    attributes_.clear();
    if (!signal.attributes.empty() && !paths.empty()) attributes_ = attribute_leaves(signal.attributes, paths);
    view_ = {
        signal.source,   signal.id,         signal.time,  signal.domain, signal.name, copied(signal.tactics, tactics_), copied(signal.techniques, techniques_),
        signal.severity, signal.confidence, signal.count, entities_,     attributes_};
    return view_;
}

}  // namespace catenary::api::ingest
