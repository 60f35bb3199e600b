#include "server/backtest/finding_tally.hpp"

#include "engine/model/text_hash.hpp"

#include <boost/uuid/uuid_hash.hpp>

#include <algorithm>
#include <iterator>
#include <tuple>

namespace catenary::server {
namespace {

std::uint64_t evidence_key(std::string_view source, std::string_view id) { return engine::TextHash::mixed(id, engine::TextHash::mixed(source, 0)); }

}  // namespace

std::size_t FindingTally::IdHash::operator()(const engine::FindingId& id) const { return boost::uuids::hash_value(id.value()); }

void FindingTally::take(const engine::TenantEffects& effects) {
    for (const auto& change : effects.findings) {
        const auto& record = change.record;
        const auto [it, is_new] = by_id_.try_emplace(record.id, static_cast<Index>(found_.size()));
        const auto index = it->second;
        if (is_new) found_.push_back({record.id, record.start, record.end});
        auto& found = found_[index];
        found.start = record.start;
        found.end = record.end;
        found.superseded = record.state == engine::FindingState::superseded;
        auto full = full_.find(index);
        if (full == full_.end() && is_new && full_.size() < most_in_full) full = full_.emplace(index, Full{}).first;
        if (full == full_.end()) continue;
        full->second.record = record;
        if (change.replace_evidence) full->second.evidence.clear();
    }
    for (const auto& addition : effects.evidence) {
        const auto it = by_id_.find(addition.finding);
        if (it == by_id_.end()) continue;
        const auto key = evidence_key(addition.signal.source, addition.signal.id);
        if (by_evidence_.size() < most_evidence || by_evidence_.contains(key)) by_evidence_.insert_or_assign(key, it->second);
        else evidence_cut_ = true;
        const auto full = full_.find(it->second);
        if (full == full_.end()) continue;
        auto& evidence = full->second.evidence;
        evidence.insert_or_assign(addition.signal, addition.stage);
        if (evidence.size() > most_references) evidence.erase(std::prev(evidence.end()));
    }
}

std::int64_t FindingTally::live() const { return std::ranges::count(found_, false, &Found::superseded); }

std::vector<api::ports::FindingWithEvidence> FindingTally::first(std::size_t most) const {
    std::vector<const Full*> live;
    for (const auto& [index, full] : full_) {
        if (!found_[index].superseded) live.push_back(&full);
    }
    const auto before = [](const Full* left, const Full* right) {
        return std::tie(left->record.start, left->record.id) < std::tie(right->record.start, right->record.id);
    };
    std::ranges::sort(live, before);
    if (live.size() > most) live.resize(most);
    std::vector<api::ports::FindingWithEvidence> findings;
    for (const auto* full : live) {
        findings.push_back({full->record, {full->evidence.begin(), full->evidence.end()}});
        findings.back().record.mode = engine::Mode::off;  // nothing is deployed, and the incidents were the lane's own
        findings.back().record.incident.reset();
    }
    return findings;
}

std::optional<FindingTally::Index> FindingTally::live_one(Index index) const { return found_[index].superseded ? std::nullopt : std::optional{index}; }

std::optional<FindingTally::Index> FindingTally::with_id(const engine::FindingId& id) const {
    const auto it = by_id_.find(id);
    return it == by_id_.end() ? std::nullopt : live_one(it->second);
}

std::optional<FindingTally::Index> FindingTally::with_evidence(std::string_view source, std::string_view id) const {
    const auto it = by_evidence_.find(evidence_key(source, id));
    return it == by_evidence_.end() ? std::nullopt : live_one(it->second);
}

}  // namespace catenary::server
