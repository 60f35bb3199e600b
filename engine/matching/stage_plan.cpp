#include "engine/matching/stage_plan.hpp"

#include "engine/model/assert.hpp"

#include <algorithm>
#include <utility>

namespace catenary::engine {

StagePlan::StagePlan(std::shared_ptr<const Pattern> source)
    : pattern{std::move(source)},
      stages{pattern->stages.size()},
      within{pattern->within},
      max_span{pattern->max_span},
      strict{pattern->strict},
      all{0},
      mandatory{0},
      repeated{0},
      distinct{0},
      first{0},
      last{0},
      previous{} {
    CATENARY_ASSERT(stages >= 1 && stages <= max_stages, "a pattern has 1 to 10 stages");
    for (std::size_t i = 0; i < stages; ++i) {
        const Stage& stage = pattern->stages[i];
        all = static_cast<StageMask>(all | stage_bit(i));
        if (!stage.optional) mandatory = static_cast<StageMask>(mandatory | stage_bit(i));
        if (stage.repeat) repeated = static_cast<StageMask>(repeated | stage_bit(i));
        if (stage.repeat && stage.repeat->distinct) distinct = static_cast<StageMask>(distinct | stage_bit(i));
    }
    CATENARY_ASSERT(mandatory != 0, "a pattern has a stage that is not optional");
    for (StageIndex i = 0; i < stages; ++i) {
        const auto below = static_cast<StageMask>(stage_bit(i) - 1U);
        const auto above = static_cast<StageMask>(all & ~below & ~stage_bit(i));
        if ((mandatory & below) == 0) first = static_cast<StageMask>(first | stage_bit(i));
        if ((mandatory & above) == 0) last = static_cast<StageMask>(last | stage_bit(i));
        for (StageIndex p = 0; p < i; ++p) {
            if (mandatory_between(p, i) == 0) previous[i] = static_cast<StageMask>(previous[i] | stage_bit(p));
        }
    }
    if ((mandatory & repeated) != 0) {
        counted = static_cast<StageIndex>(std::countr_zero(static_cast<StageMask>(mandatory & repeated)));
        at_least = pattern->stages[*counted].repeat->at_least;
    }
    for (const Absence& absence : pattern->absent) {
        CATENARY_ASSERT(absence.stage < stages && (absence.where != Absence::Where::between || absence.until < stages), "a condition names stages");
        if (absence.where == Absence::Where::before) absent_before = std::max(absent_before, absence.within);
        else absent_after = std::max(absent_after, absence.where == Absence::Where::between ? within : absence.within);
    }
    if (stage_count(mandatory) == 1 && (mandatory & repeated) == 0) lone = static_cast<StageIndex>(std::countr_zero(mandatory));
}

StageMask StagePlan::between(StageIndex low, StageIndex high) const {
    const unsigned below_high = stage_bit(high) - 1U;
    const unsigned up_to_low = (static_cast<unsigned>(stage_bit(low)) << 1U) - 1U;
    return static_cast<StageMask>(below_high & ~up_to_low);
}

StageIndex StagePlan::earliest(StageMask served) const {
    const unsigned alone = (served & lone_bit) != 0 ? stage_bit(*lone) : 0U;
    return static_cast<StageIndex>(std::countr_zero((served & unsigned{all}) | alone));
}

StageMask StagePlan::mandatory_between(StageIndex low, StageIndex high) const { return static_cast<StageMask>(mandatory & between(low, high)); }

}  // namespace catenary::engine
