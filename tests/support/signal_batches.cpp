#include "tests/support/signal_batches.hpp"

#include <cstring>

namespace catenary::tests {

std::string_view BatchBuilder::keep(std::string_view text) {
    if (text.empty()) return {};
    auto* copy = static_cast<char*>(batch_->arena.allocate(text.size(), 1));
    std::memcpy(copy, text.data(), text.size());
    return {copy, text.size()};
}

std::span<const std::string_view> BatchBuilder::keep(const std::vector<std::string>& texts) {
    auto* views = static_cast<std::string_view*>(batch_->arena.allocate(texts.size() * sizeof(std::string_view), alignof(std::string_view)));
    for (std::size_t i = 0; i < texts.size(); ++i) views[i] = keep(texts[i]);
    return {views, texts.size()};
}

BatchBuilder& BatchBuilder::add(const Item& item) {
    api::ingest::PreparedSignal signal;
    signal.index = static_cast<std::uint32_t>(batch_->signals.size());
    signal.source = keep(item.source);
    signal.id = keep(item.id);
    signal.time = item.time;
    signal.domain = keep(item.domain);
    signal.name = keep(item.name);
    signal.title = keep(item.title);
    signal.tactics = keep(item.tactics);
    signal.techniques = keep(item.techniques);
    signal.severity = item.severity;
    signal.confidence = item.confidence;
    signal.count = item.count;
    auto* entities = static_cast<api::ingest::PreparedEntity*>(
        batch_->arena.allocate(item.entities.size() * sizeof(api::ingest::PreparedEntity), alignof(api::ingest::PreparedEntity)));
    for (std::size_t i = 0; i < item.entities.size(); ++i) {
        const auto& entity = item.entities[i];
        entities[i] = {keep(entity.kind), keep(entity.value), keep(entity.role), entity.identifies};
    }
    signal.entities = {entities, item.entities.size()};
    signal.attributes = keep(item.attributes);
    signal.plain_attributes = item.plain_attributes;
    signal.shown = keep(item.shown);
    signal.aliases = keep(item.aliases);
    batch_->signals.push_back(signal);
    return *this;
}

}  // namespace catenary::tests
