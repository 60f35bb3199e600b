#include "api/handlers/what_if.hpp"

#include "engine/incidents/wording.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace catenary::api::handlers {

std::vector<std::string> would_not_fire_if(const engine::Pattern& pattern) {
    std::vector<std::string> sentences;
    const engine::Stage* first = nullptr;
    const engine::Stage* last = nullptr;
    for (const auto& stage : pattern.stages) {
        if (stage.optional) continue;
        if (stage.repeat) {
            sentences.push_back(fmt::format("fewer than {} {} \"{}\" came within {} for one {}", stage.repeat->at_least,
                                            stage.repeat->distinct ? "values of " + stage.repeat->distinct->written() + " in" : "signals of", stage.id,
                                            engine::said_span(stage.repeat->within), stage.repeat->by));
        } else {
            const auto because = stage.match.describe();
            sentences.push_back(fmt::format("nothing matched \"{}\"{}", stage.id, because.empty() ? "" : fmt::format(" ({})", fmt::join(because, "; "))));
        }
        if (last != nullptr && pattern.order == engine::Order::sequence) sentences.push_back(fmt::format("\"{}\" came before \"{}\"", stage.id, last->id));
        if (last != nullptr && pattern.link != engine::LinkMode::none) {
            sentences.push_back(fmt::format("\"{}\" and \"{}\" had no {} in common", last->id, stage.id, fmt::join(pattern.link_kinds, " or ")));
        }
        if (last != nullptr && stage.within && *stage.within < pattern.within)
            sentences.push_back(fmt::format("\"{}\" came more than {} after \"{}\"", stage.id, engine::said_span(*stage.within), last->id));
        if (first == nullptr) first = &stage;
        last = &stage;
    }
    if (first != last) sentences.push_back(fmt::format("\"{}\" came more than {} after \"{}\"", last->id, engine::said_span(pattern.within), first->id));
    return sentences;
}

}  // namespace catenary::api::handlers
