#include "server/lanes/lane_set.hpp"

#include "api/ingest/attributes.hpp"

namespace catenary::server {

engine::Lane& LaneSet::of(std::int16_t lane) {
    auto it = lanes_.find(lane);
    if (it == lanes_.end()) it = lanes_.emplace(lane, engine::Lane{shipped_}).first;
    return it->second;
}

const engine::Lane* LaneSet::find(std::int16_t lane) const {
    const auto it = lanes_.find(lane);
    return it == lanes_.end() ? nullptr : &it->second;
}

void LaneSet::read_attributes(const engine::Lane& lane, engine::TenantId tenant, std::string_view json) {
    attributes_.clear();
    if (json.empty()) return;
    const auto& paths = lane.attribute_paths(tenant);
    if (!paths.empty()) attributes_ = api::ingest::attribute_leaves(json, paths);
}

void LaneSet::apply(std::int16_t lane, std::span<const StoredRow> rows, const StoredNames& names) {
    auto& engine = of(lane);
    for (const auto& row : rows) {
        const auto& definition = names.definition(row.definition);
        entities_.clear();
        for (std::size_t i = 0; i < row.entity_count(); ++i) {
            const auto& entity = names.entity(row, i);
            entities_.push_back({entity.kind, entity.value, entity.identifies});
        }
        read_attributes(engine, row.tenant, row.attributes);
        const engine::SignalView view{definition.source,
                                      row.source_id,
                                      row.time,
                                      definition.domain,
                                      definition.name,
                                      definition.tactics,
                                      definition.techniques,
                                      static_cast<engine::Severity>(row.severity),
                                      row.confidence,
                                      row.count,
                                      entities_,
                                      attributes_};
        engine.apply(row.position, row.tenant, row.received, view);
        finish_entry(engine);
    }
}

void LaneSet::apply(std::int16_t lane, const CommittedRequest& request, engine::Timestamp received) {
    auto& engine = of(lane);
    const auto& paths = engine.attribute_paths(request.tenant);  // signals do not change them
    auto position = request.first.value();
    for (const auto index : request.accepted) {
        engine.apply(engine::Position{position++}, request.tenant, received, views_.of(request.batch->signals[index], paths));
        finish_entry(engine);
    }
}

}  // namespace catenary::server
