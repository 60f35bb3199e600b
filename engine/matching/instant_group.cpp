#include "engine/matching/instant_group.hpp"

namespace catenary::engine {

bool InstantGroup::add(std::vector<Class>& classes, StageMask mask, std::size_t entry) {
    for (Class& known : classes) {
        if (known.mask != mask) continue;
        if (known.count >= stage_count(mask)) return false;
        ++known.count;
        return true;
    }
    classes.push_back({mask, 1, static_cast<std::uint32_t>(entry)});
    return true;
}

void InstantGroup::assign(const std::vector<Class>& classes, StageMask available, StageMask ignored) {
    available_ = available;
    ignored_ = ignored;
    present_ = 0;
    overlapping_ = false;
    for (const Class& one : classes) {
        const StageMask mask = effective(one.mask);
        present_ = static_cast<StageMask>(present_ | mask);
        overlapping_ = overlapping_ || stage_count(mask) > 1;
    }
    if (!overlapping_) return;

    // First the signals that satisfy nothing outside a set (sums over subsets), then by complement those that satisfy something inside one.
    const std::size_t sets = std::size_t{1} << std::bit_width(static_cast<unsigned>(available));
    std::vector<std::uint32_t> inside(sets, 0);
    std::uint32_t total = 0;
    for (const Class& one : classes) {
        const StageMask mask = effective(one.mask);
        if (mask == 0) continue;
        inside[mask] += one.count;
        total += one.count;
    }
    for (std::size_t bit = 1; bit < sets; bit <<= 1U) {
        for (std::size_t set = 0; set < sets; ++set) {
            if ((set & bit) != 0) inside[set] += inside[set ^ bit];
        }
    }
    hits_.resize(sets);
    for (std::size_t set = 0; set < sets; ++set) hits_[set] = total - inside[(sets - 1) & ~set];
}

bool InstantGroup::can_serve(StageMask stages) const {
    if ((stages & ~present_) != 0) return false;
    if (!overlapping_) return true;
    for (unsigned set = stages; set != 0; set = (set - 1) & stages) {
        if (hits_[set] < static_cast<std::uint32_t>(std::popcount(set))) return false;
    }
    return true;
}

bool InstantGroup::can_serve(StageMask stages, StageIndex stage, StageMask mask) const {
    const StageMask serving = effective(mask);
    if (!has_stage(serving, stage) || (stages & ~present_) != 0) return false;
    if (!overlapping_) return true;
    const auto others = static_cast<StageMask>(stages & ~stage_bit(stage));
    for (unsigned set = others; set != 0; set = (set - 1) & others) {
        const std::uint32_t left = hits_[set] - ((serving & set) != 0 ? 1U : 0U);
        if (left < static_cast<std::uint32_t>(std::popcount(set))) return false;
    }
    return true;
}

}  // namespace catenary::engine
