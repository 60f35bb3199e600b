#include "engine/incidents/finding_table.hpp"
#include "engine/snapshot/codec.hpp"
#include "engine/snapshot/last_values.hpp"
#include "engine/snapshot/places.hpp"

namespace catenary::engine {

void Evidence::save(SnapshotWriter& out) const { out(signals_); }

void Evidence::load(SnapshotReader& in, std::size_t stages, const HeldSignals& held, const Dictionary& dictionary) {
    in(signals_);
    for (const auto& [signal, stage] : signals_) SnapshotReader::require(stage < stages, "evidence serves an unknown stage");
    retally(held, dictionary);
}

void FindingTable::save(SnapshotWriter& out) const {
    out(places_.size());
    for (const auto& place : places_) {
        out(place.has_value());
        if (place) out(*place, place->evidence);
    }
    out(free_, reported_);
}

void FindingTable::load(SnapshotReader& in, const HeldSignals& held, const Dictionary& dictionary) {
    std::vector<bool> used;
    for (std::size_t left = in.count(); left > 0; --left) {
        bool is_used = false;
        in(is_used);
        used.push_back(is_used);
        auto& place = places_.emplace_back();
        if (!is_used) continue;
        Finding& finding = place.emplace();
        in(finding);
        const bool is_new = by_id_.emplace(finding.id, FindingIndex{static_cast<std::uint32_t>(places_.size() - 1)}).second;
        SnapshotReader::require(is_new, "a finding is repeated");
        finding.evidence.load(in, finding.pattern->stages.size(), held, dictionary);
        SnapshotReader::require(finding.evidence.size() > 0, "a finding has no evidence");
        const auto has = [&](SignalHandle signal) { return finding.evidence.contains(signal); };
        SnapshotReader::require(std::all_of(finding.fresh.begin(), finding.fresh.end(), has), "a finding tells of evidence that it has not");
    }
    load_free_places(in, free_, used);
    in.places().findings = std::move(used);
    in(reported_);
}

}  // namespace catenary::engine
