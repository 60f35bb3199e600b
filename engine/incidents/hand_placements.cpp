#include "engine/incidents/hand_placements.hpp"

#include <algorithm>
#include <vector>

namespace catenary::engine {

void HandPlacements::place(const Finding& finding, HandGroup hand, const std::function<void(FindingIndex)>& bystander) {
    placed_[finding.id] = {hand, finding.end};
    Marks& marks = marks_[finding.pattern->id];
    finding.evidence.each([&](SignalHandle signal) {
        const auto [mark, is_new] = marks.try_emplace(signal, hand);
        if (is_new) held_.take(signal);
        mark->second = std::max(mark->second, hand);
        for (const FindingIndex other : held_.findings(signal)) bystander(other);
    });
}

void HandPlacements::leave_alone(const Finding& finding) { placed_.try_emplace(finding.id, Placed{std::nullopt, finding.end}); }

std::optional<HandGroup> HandPlacements::of(const Finding& finding) const {
    if (empty()) return std::nullopt;
    if (const auto placed = placed_.find(finding.id); placed != placed_.end()) return placed->second.hand;
    const auto marks = marks_.find(finding.pattern->id);
    if (marks == marks_.end()) return std::nullopt;
    std::optional<HandGroup> hand;
    finding.evidence.each([&](SignalHandle signal) {
        const auto mark = marks->second.find(signal);
        if (mark != marks->second.end() && (!hand || *hand < mark->second)) hand = mark->second;
    });
    return hand;
}

std::optional<HandGroup> HandPlacements::grown(const Finding& finding, std::optional<HandGroup> before, SignalHandle signal) const {
    if (empty() || placed_.contains(finding.id)) return before;
    const auto marks = marks_.find(finding.pattern->id);
    if (marks == marks_.end()) return before;
    const auto mark = marks->second.find(signal);
    if (mark == marks->second.end() || (before && mark->second < *before)) return before;
    return mark->second;
}

void HandPlacements::clear() {
    std::vector<SignalHandle> marked;
    for (const auto& [pattern, marks] : marks_) {
        for (const auto& [signal, hand] : marks) marked.push_back(signal);
    }
    std::sort(marked.begin(), marked.end());  // places are free in the order in which they are given back
    marks_.clear();
    placed_.clear();
    for (const SignalHandle signal : marked) held_.give_back(signal);
}

void HandPlacements::gone(const Finding& finding) {
    const auto placed = placed_.find(finding.id);
    if (placed != placed_.end()) placed->second.end = std::max(placed->second.end, finding.end);
}

void HandPlacements::forget(Timestamp cutoff, const std::function<bool(const FindingId&)>& in_memory) {
    erase_if(placed_, [&](const auto& entry) { return entry.second.end < cutoff && !in_memory(entry.first); });
    for (auto& [pattern, marks] : marks_) {
        std::vector<SignalHandle> over;
        for (const auto& [signal, hand] : marks) {
            if (held_.findings(signal).empty() && held_.window()[signal].time < cutoff) over.push_back(signal);
        }
        std::sort(over.begin(), over.end());  // places are free in the order in which they are given back
        for (const SignalHandle signal : over) {
            marks.erase(signal);
            held_.give_back(signal);
        }
    }
    std::erase_if(marks_, [](const auto& entry) { return entry.second.empty(); });
}

std::size_t HandPlacements::bytes() const {
    constexpr std::size_t a_finding = sizeof(FindingId) + sizeof(Placed) + 8;
    constexpr std::size_t a_mark = 24;
    std::size_t bytes = placed_.size() * a_finding;
    for (const auto& [pattern, marks] : marks_) bytes += marks.size() * a_mark;
    return bytes;
}

}  // namespace catenary::engine
