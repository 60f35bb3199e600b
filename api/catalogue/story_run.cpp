#include "api/catalogue/story_run.hpp"

#include "api/ingest/signal_views.hpp"
#include "api/json/time_json.hpp"
#include "engine/incidents/finding.hpp"
#include "engine/lane/deployment.hpp"
#include "engine/lane/lane.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>

namespace catenary::api::catalogue {

using engine::Pattern;
using ingest::PreparedBatch;

namespace {

constexpr engine::TenantId tenant{1};
constexpr engine::Duration longest_wait = std::chrono::days{400};  // above every span that a pattern can name

bool is_found(const PreparedBatch& story, const Pattern& pattern) { return !findings_in(story, pattern).empty(); }

std::size_t satisfying(const PreparedBatch& story, const Pattern& pattern, std::size_t stage) {
    ingest::SignalViews views;
    const auto paths = engine::attribute_paths(pattern);
    return static_cast<std::size_t>(
        std::ranges::count_if(story.signals, [&](const auto& signal) { return pattern.stages[stage].match.matches(views.of(signal, paths)); }));
}

/// The pattern up to and with one of its stages, without what is asked of all of them together.
Pattern up_to(const Pattern& pattern, std::size_t stage) {
    auto part = pattern;
    part.required_domains.reset();
    part.absent.clear();
    part.stages.erase(part.stages.begin() + static_cast<std::ptrdiff_t>(stage) + 1, part.stages.end());
    return part;
}

bool has_required_stage(const Pattern& pattern) {
    return std::ranges::any_of(pattern.stages, [](const auto& stage) { return !stage.optional; });
}

/// The condition that a signal of the story meets, where that alone keeps the pattern from being found.
std::optional<std::string> what_came(const PreparedBatch& story, const Pattern& pattern) {
    auto without = pattern;
    without.absent.clear();
    if (pattern.absent.empty() || !is_found(story, without)) return std::nullopt;
    for (std::size_t i = 0; i < pattern.absent.size(); ++i) {
        without.absent = pattern.absent;
        without.absent.erase(without.absent.begin() + static_cast<std::ptrdiff_t>(i));
        if (is_found(story, without)) return engine::describe(pattern.absent[i], pattern);
    }
    return "more than one of what must be absent";
}

/// Why the last stage of `part` fails, when all those before it are satisfied.
class LastStage {
public:
    LastStage(const PreparedBatch& story, const Pattern& part) : story_{story}, part_{part} {}

    std::string reason() const {
        if (satisfying(story_, part_, last()) == 0) return fmt::format("no signal satisfies its match ({})", fmt::join(stage().match.describe(), ", "));
        for (const auto& lifted : {few(), spread(), late(), gap(), same_instant(), unlinked(), early()}) {
            if (lifted) return *lifted;
        }
        return "signals satisfy its match, but none of them order, limits and link at once";
    }

private:
    std::size_t last() const { return part_.stages.size() - 1; }
    const engine::Stage& stage() const { return part_.stages.back(); }

    template <class Change>
    bool is_found_after(Change change) const {
        auto lifted = part_;
        change(lifted);
        return is_found(story_, lifted);
    }

    std::optional<std::string> few() const {
        if (!stage().repeat || !is_found_after([](Pattern& p) { p.stages.back().repeat->at_least = 1; })) return std::nullopt;
        if (spread()) return std::nullopt;
        const auto& repeat = *stage().repeat;
        return fmt::format("it occurs, but not at_least {}{} by one {}", repeat.at_least,
                           repeat.distinct ? " different " + repeat.distinct->written() : std::string{" times"}, repeat.by);
    }
    std::optional<std::string> spread() const {
        if (!stage().repeat || !is_found_after([](Pattern& p) {
                p.stages.back().repeat->within = std::chrono::days{366};
                p.within = std::chrono::days{14};
                p.max_span = std::chrono::days{30};
            }))
            return std::nullopt;
        if (late()) return std::nullopt;
        return fmt::format("it occurs often enough, but not within its {}", json::format_span(stage().repeat->within));
    }
    std::optional<std::string> late() const {
        if (!is_found_after([](Pattern& p) {
                p.within = std::chrono::days{14};
                p.max_span = std::chrono::days{30};
            }))
            return std::nullopt;
        return fmt::format("it comes too late: first to last activity may take {}", json::format_span(part_.within));
    }
    std::optional<std::string> gap() const {
        if (!stage().within || !is_found_after([](Pattern& p) { p.stages.back().within.reset(); })) return std::nullopt;
        return fmt::format("it comes more than {} after the stage before it", json::format_span(*stage().within));
    }
    std::optional<std::string> same_instant() const {
        if (!part_.strict || !is_found_after([](Pattern& p) { p.strict = false; })) return std::nullopt;
        return "it comes at the same instant as the stage before it, and the pattern is strict";
    }
    std::optional<std::string> unlinked() const {
        if (!is_found_after([](Pattern& p) {
                p.link = engine::LinkMode::none;
                p.link_kinds.clear();
                for (auto& each : p.stages) each.repeat.reset();  // what is counted by an entity needs the link
            }))
            return std::nullopt;
        return fmt::format("it shares no {} with the stages before it", fmt::join(part_.link_kinds, " or "));
    }
    std::optional<std::string> early() const {
        for (std::size_t place = last(); place-- > 0;) {
            if (is_found_after([place](Pattern& p) { std::rotate(p.stages.begin() + static_cast<std::ptrdiff_t>(place), p.stages.end() - 1, p.stages.end()); }))
                return fmt::format("it comes before stage \"{}\"", part_.stages[place].id);
        }
        return std::nullopt;
    }

    const PreparedBatch& story_;
    const Pattern& part_;
};

}  // namespace

std::vector<engine::FindingRecord> findings_in(const PreparedBatch& story, const Pattern& pattern) {
    auto deployed = std::make_shared<Pattern>(pattern);
    deployed->mode = engine::Mode::production;  // whatever mode the document asks for, its examples are to be found
    return findings_in(story, engine::Catalogue{deployed});
}

std::vector<engine::FindingRecord> findings_in(const PreparedBatch& story, const engine::Catalogue& patterns) {
    engine::Lane lane{patterns};
    ingest::SignalViews views;
    std::map<engine::FindingId, engine::FindingRecord> last;
    const auto take = [&] {
        for (auto& effects : lane.take_effects()) {
            for (auto& change : effects.findings) last.insert_or_assign(change.record.id, std::move(change.record));
        }
    };
    std::int64_t position = 0;
    engine::Timestamp end = engine::Timestamp::min();
    for (const auto& signal : story.signals) {
        lane.apply(engine::Position{++position}, tenant, signal.time, views.of(signal, lane.attribute_paths(tenant)));
        end = std::max(end, signal.time);
    }
    take();
    if (position > 0) lane.apply(engine::Position{++position}, tenant, end, engine::WatermarkCall{end + longest_wait, false}, {});
    take();
    std::vector<engine::FindingRecord> found;
    for (auto& [id, record] : last) {
        if (record.state == engine::FindingState::open) found.push_back(std::move(record));
    }
    std::ranges::stable_sort(found, {}, &engine::FindingRecord::start);
    return found;
}

std::string why_not(const PreparedBatch& story, const Pattern& pattern) {
    for (std::size_t stage = 0; stage < pattern.stages.size(); ++stage) {
        const auto part = up_to(pattern, stage);
        if (!has_required_stage(part) || is_found(story, part)) continue;
        return fmt::format("stage \"{}\" failed: {}", pattern.stages[stage].id, LastStage{story, part}.reason());
    }
    if (const auto came = what_came(story, pattern)) return fmt::format("every stage is satisfied, but this came: {}", *came);
    if (pattern.required_domains) return fmt::format("every stage is satisfied, but not from {} domains", *pattern.required_domains);
    return "every stage is satisfied, the pattern as a whole is not";
}

}  // namespace catenary::api::catalogue
