#include "api/json/why_not_text.hpp"

#include "engine/incidents/finding.hpp"
#include "engine/incidents/wording.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace catenary::api::json {
namespace {

using Reason = engine::WhyNot::Reason;

std::string quoted(const std::string& text) { return '"' + text + '"'; }

}  // namespace

std::string why_not_text(const engine::WhyNot& answer, const engine::Pattern& pattern, const engine::EntityKey& entity) {
    const auto stage = std::ranges::find(pattern.stages, answer.stage, &engine::Stage::id);
    const auto who = entity.kind + ' ' + entity.value;
    const auto name = quoted(answer.stage);
    const auto by = answer.by ? engine::said_span(*answer.by) : std::string{};
    const auto limit = answer.limit ? engine::said_span(*answer.limit) : std::string{};
    const auto count = answer.counted.value_or(0);
    const auto needed = answer.needed.value_or(0);
    switch (answer.reason) {
        case Reason::matched: return "every stage was reached in order, time and link";
        case Reason::no_signal: {
            const auto because = stage == pattern.stages.end() ? std::vector<std::string>{} : stage->match.describe();
            return fmt::format("stage {} is missing: no signal satisfies it{}", name, because.empty() ? "" : fmt::format(" ({})", fmt::join(because, "; ")));
        }
        case Reason::behind_horizon:
            return fmt::format("stage {}: its signal came so late that the engine had forgotten its time; it awaits being matched again", name);
        case Reason::fan_out:
            return fmt::format("stage {}: its signal names {} entities of one kind and links by none of it, since more than {} say nothing", name, count,
                               needed);
        case Reason::hub: return fmt::format("stage {}: its signal names {}, but that entity links no signals", name, who);
        case Reason::not_linked:
            return fmt::format("stage {}: a signal satisfies it, but it has no {} in common with the stages before", name,
                               fmt::join(pattern.link_kinds, " or "));
        case Reason::not_enough: return fmt::format("stage {}: {} of {} within {}", name, count, needed, limit);
        case Reason::wrong_order: return fmt::format("stage {} came {} before the end of the stage that it has to follow", name, by);
        case Reason::same_instant: {
            const bool is_own = std::ranges::none_of(answer.reached, [&](const auto& one) { return one.signal == answer.closest; });
            if (pattern.strict && is_own) return fmt::format("stage {} came at the same instant as the stage before it, and the pattern is strict", name);
            return fmt::format("stage {} has no signal of its own after the stage before it", name);
        }
        case Reason::gap_too_long: return fmt::format("stage {} came too late by {}: at most {} may pass since the stage before it", name, by, limit);
        case Reason::span_too_long:
            if (by.empty()) return fmt::format("stage {} takes longer than the {} that the whole pattern may take", name, limit);
            return fmt::format("stage {} came too late by {}: first to last activity may take {}", name, by, limit);
        case Reason::not_absent:
            return fmt::format("every stage was reached, but this came: {}{}", engine::describe(pattern.absent.at(answer.condition.value()), pattern),
                               answer.closest ? fmt::format(" ({}/{})", answer.closest->source, answer.closest->id) : "");
        case Reason::too_few_domains: break;
    }
    return fmt::format("every stage was reached, but from {} of the {} domains that are required", count, needed);
}

}  // namespace catenary::api::json
