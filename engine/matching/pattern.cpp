#include "engine/matching/pattern.hpp"

#include "engine/model/number_text.hpp"

#include <algorithm>
#include <set>

namespace catenary::engine {
namespace {

using std::chrono::days;
using std::chrono::seconds;

constexpr std::size_t most_stages = 10;
constexpr Duration least_within = seconds{1};
constexpr Duration longest_within = days{14};         // with the day that the horizon adds this stays below its 16 days
constexpr Duration longest_span = days{30};           // an incident's group spans no more
constexpr Duration longest_stage_within = days{366};  // above the pattern's `within` it says nothing, far above it is a slip
constexpr std::int64_t most_repeats = 1'000'000'000;

std::string text_of(Duration duration) {
    const auto micros = duration.count();
    if (micros % Duration{days{1}}.count() == 0) return std::to_string(micros / Duration{days{1}}.count()) + "d";
    return number_text(static_cast<double>(micros) / 1e6) + "s";
}

/// Not breaches, though they may look like it: a stage's or repeat's `within` above the pattern's, stages of a sequence that match the same signals, a
/// `within` of the first stage (nothing comes before it).
class Check {
public:
    explicit Check(const Pattern& pattern) : pattern_{pattern} {}

    std::vector<Fault> run() && {
        spans();
        link();
        stages();
        overlaps();
        absences();
        requirements();
        return std::move(faults_);
    }

private:
    void add(FaultCode code, std::string pointer, std::string detail) { faults_.push_back({code, std::move(pointer), std::move(detail)}); }

    void in_range(Duration given, Duration least, Duration most, std::string pointer) {
        if (given >= least && given <= most) return;
        add(FaultCode::out_of_range, std::move(pointer), "given " + text_of(given) + "; allowed are " + text_of(least) + " to " + text_of(most));
    }

    void spans() {
        in_range(pattern_.max_span, least_within, longest_span, "/max_span");
        in_range(pattern_.within, least_within, std::max(least_within, std::min(pattern_.max_span, longest_within)), "/within");
    }

    void link() {
        if (pattern_.link == LinkMode::none) {
            if (pattern_.stages.size() > 1) add(FaultCode::missing, "/link", "two or more stages need a link, such as {same: [account]}");
            if (!pattern_.link_kinds.empty()) add(FaultCode::conflict, "/link", "entity kinds are given but no way to link by them");
            return;
        }
        const std::string pointer = pattern_.link == LinkMode::same ? "/link/same" : "/link/chain";
        if (pattern_.link_kinds.empty()) add(FaultCode::missing, pointer, "a link names at least one entity kind");
        std::set<std::string> seen;
        for (std::size_t index = 0; index < pattern_.link_kinds.size(); ++index) {
            const auto& kind = pattern_.link_kinds[index];
            const std::string place = pointer + "/" + std::to_string(index);
            if (kind.empty()) add(FaultCode::out_of_range, place, "an entity kind is a word such as account, host or ip");
            if (!seen.insert(kind).second) add(FaultCode::conflict, place, "\"" + kind + "\" is named twice");
        }
    }

    void stages() {
        const auto& all = pattern_.stages;
        if (all.empty()) return add(FaultCode::missing, "/stages", "a pattern has at least one stage");
        if (all.size() > most_stages) {
            add(FaultCode::too_large, "/stages", "given " + std::to_string(all.size()) + " stages; a pattern has at most " + std::to_string(most_stages));
        }
        if (std::all_of(all.begin(), all.end(), [](const Stage& stage) { return stage.optional; })) {
            add(FaultCode::conflict, "/stages", "every stage is optional; at least one must be required");
        }
        std::set<std::string> ids;
        for (std::size_t index = 0; index < all.size(); ++index) {
            const std::string place = "/stages/" + std::to_string(index);
            if (all[index].id.empty()) add(FaultCode::missing, place + "/id", "a stage has an id, which explanations call it by");
            else if (!ids.insert(all[index].id).second) add(FaultCode::conflict, place + "/id", "\"" + all[index].id + "\" is the id of an earlier stage");
            if (all[index].within) in_range(*all[index].within, Duration{1}, longest_stage_within, place + "/within");
            if (all[index].repeat) repeat(*all[index].repeat, place + "/repeat");
        }
    }

    void overlaps() {
        if (pattern_.order != Order::any || pattern_.overlap || pattern_.stages.size() > most_stages) return;
        std::string pairs;
        int found = 0;
        for (std::size_t a = 0; a < pattern_.stages.size(); ++a) {
            for (std::size_t b = a + 1; b < pattern_.stages.size(); ++b) {
                if (!pattern_.stages[a].match.may_overlap(pattern_.stages[b].match)) continue;
                pairs += (++found > 1 ? ", " : "") + pattern_.stages[a].id + " and " + pattern_.stages[b].id;
            }
        }
        if (found < 2) return;
        add(FaultCode::conflict, "/stages",
            "under \"order: any\" at most one pair of stages may match the same signals; these may: " + pairs + ". Say \"overlap: true\" if that is meant");
    }

    void absences() {
        const auto& all = pattern_.absent;
        if (all.size() > Absence::most) {
            add(FaultCode::too_large, "/absent", "given " + std::to_string(all.size()) + " conditions; a pattern has at most " + std::to_string(Absence::most));
        }
        for (std::size_t index = 0; index < all.size(); ++index) {
            const std::string place = "/absent/" + std::to_string(index);
            const Absence& one = all[index];
            if (one.where == Absence::Where::between) between(one, place + "/between/1");
            else in_range(one.within, seconds{1}, longest_within, place + "/within");
        }
    }

    void between(const Absence& one, std::string place) {
        const auto& stages = pattern_.stages;
        if (one.stage >= stages.size() || one.until >= stages.size()) return;
        const std::string& first = stages[one.stage].id;
        const std::string& last = stages[one.until].id;
        if (one.stage == one.until) {
            return add(FaultCode::conflict, std::move(place), "\"" + last + "\" is named twice; between lies what is after one stage and before another");
        }
        if (pattern_.order == Order::sequence && one.until < one.stage) {
            return add(FaultCode::conflict, std::move(place), "in a sequence \"" + last + "\" comes before \"" + first + "\"; name the earlier stage first");
        }
        if (pattern_.link != LinkMode::chain || one.until == one.stage + 1) return;
        add(FaultCode::conflict, std::move(place),
            "a chain links stages that follow each other; " +
                (one.stage + 1 < stages.size() ? "after \"" + first + "\" that is \"" + stages[one.stage + 1].id + "\"" : "none follows \"" + first + "\""));
    }

    void requirements() {
        const auto& domains = pattern_.required_domains;
        if (!domains || (*domains >= 1 && *domains <= 4)) return;
        add(FaultCode::out_of_range, "/require/domains", "given " + std::to_string(*domains) + "; allowed are 1 to 4");
    }

    void repeat(const Repeat& repeat, const std::string& place) {
        if (repeat.at_least < 1 || repeat.at_least > most_repeats) {
            add(FaultCode::out_of_range, place + "/at_least",
                "given " + std::to_string(repeat.at_least) + "; allowed are 1 to " + std::to_string(most_repeats));
        }
        in_range(repeat.within, Duration{1}, longest_stage_within, place + "/within");
        const auto& kinds = pattern_.link_kinds;
        if (std::find(kinds.begin(), kinds.end(), repeat.by) == kinds.end()) {
            add(FaultCode::conflict, place + "/by", "\"" + repeat.by + "\" must be one of the pattern's link kinds");
        }
    }

    const Pattern& pattern_;
    std::vector<Fault> faults_;
};

}  // namespace

const char* to_string(Mode mode) {
    switch (mode) {
        case Mode::off: return "off";
        case Mode::flighting: return "flighting";
        case Mode::production: break;
    }
    return "production";
}

std::vector<Fault> Pattern::check(const Pattern& pattern) { return Check{pattern}.run(); }

}  // namespace catenary::engine
