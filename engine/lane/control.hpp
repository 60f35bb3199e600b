#pragma once

#include "engine/matching/pattern.hpp"
#include "engine/model/entity_key.hpp"
#include "engine/model/ids.hpp"
#include "engine/model/time.hpp"

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace catenary::engine {

/// A live tenant's clock: the watermark may advance to admission time - lateness.
struct Tick {};

/// `POST /watermark`: `time` is the new watermark (ignored when not later); with `hold` it stays there until the next call.
struct WatermarkCall {
    Timestamp time;
    bool hold = false;
};

/// A new version of a pattern, or of its deployment (mode). `effective_from` unset: the watermark at this entry minus the pattern's `within`, or minus the
/// longest trailing absence of it or of a version that it ends, where that is longer.
struct PatternChange {
    std::shared_ptr<const Pattern> pattern;
    std::optional<Timestamp> effective_from;
    std::optional<Mode> mode =
        std::nullopt;  ///< of the deployment; unset: the pattern's own. What ships is shared by all tenants, so their modes stand beside it
    Mode deployed() const { return mode.value_or(pattern->mode); }
};

enum class IncidentStatus { new_, active, closed };
enum class Classification { true_positive, benign_positive, false_positive, undetermined };
const char* to_string(IncidentStatus status);
const char* to_string(Classification classification);
std::optional<IncidentStatus> incident_status_from(std::string_view word);
std::optional<Classification> classification_from(std::string_view word);

/// An analyst's change of an incident; members left empty stay as they are. Owner "" clears the owner.
struct IncidentEdit {
    IncidentNumber number;
    std::optional<IncidentStatus> status;
    std::optional<Classification> classification;
    std::optional<std::string> reason;  ///< of the classification
    std::optional<std::string> owner;
    std::optional<std::string> title;
    std::optional<Severity> severity;
    std::optional<std::vector<std::string>> labels;  ///< all of them; sorted, each once
    std::string actor;                               ///< who: the key's id
};

/// A remark; part of the history.
struct IncidentComment {
    IncidentNumber number;
    std::string text;
    std::string actor;
};

/// `numbers` become part of `into`, which keeps its number, and stay so. All must be open and their findings in memory; else nothing happens.
struct IncidentMerge {
    IncidentNumber into;
    std::vector<IncidentNumber> numbers;
    std::string reason;
    std::string actor;
};

/// `findings` leave their incident for a new one and stay apart from it. At least one has to stay behind.
struct IncidentSplit {
    IncidentNumber number;
    std::vector<FindingId> findings;
    std::string reason;
    std::string actor;
};

/// What an administrator says of an entity's links. `deny`: it links no signals, as a hub does not. `allow`: it links although it is a hub.
enum class LinkRule { usual, deny, allow };
const char* to_string(LinkRule rule);
std::optional<LinkRule> link_rule_from(std::string_view word);

/// What administrators hold of an entity changed; of that the engine reads how it links (LinkRules says for which signals). The entity need not have
/// been mentioned yet.
struct EntityChange {
    EntityKey entity;  ///< canonical
    LinkRule link = LinkRule::usual;
};

/// Tenant setting that the engine reads.
struct SettingChange {
    std::optional<Duration> lateness;
    std::optional<double> base_rate;
    std::optional<int> unlinkable_limit;
    std::optional<Duration> group_within;
    std::optional<std::int64_t> window_signals;     ///< most signals that the window holds (Tenant::usual_window_signals unless set); at least one
    std::optional<std::int64_t> daily_incidents{};  ///< of one pattern and event day that stand alone (DailyOpeners::usual_limit unless set); at least one
    std::optional<int> incident_entities{};         ///< most that an incident's record lists (ListedEntities::usual_most unless set); at least one
};

/// Everything besides signals that can change a result (guarantees.md 1). One kind, one struct.
using ControlBody = std::variant<Tick, WatermarkCall, PatternChange, IncidentEdit, SettingChange, IncidentComment, IncidentMerge, IncidentSplit, EntityChange>;

/// Whether it says something of incidents alone, so that matching does not depend on it.
inline bool is_about_incidents(const ControlBody& body) {
    return std::holds_alternative<IncidentEdit>(body) || std::holds_alternative<IncidentComment>(body) || std::holds_alternative<IncidentMerge>(body) ||
           std::holds_alternative<IncidentSplit>(body);
}

}  // namespace catenary::engine
