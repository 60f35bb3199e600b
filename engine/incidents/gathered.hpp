#pragma once

#include "engine/incidents/finding.hpp"
#include "engine/incidents/listed_entities.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace catenary::engine {

/// What the findings of one group add up to, kept as findings and evidence come and go, so that an incident's record never costs a pass over its
/// evidence.
class Gathered {
public:
    /// `most_entities`: that a record lists.
    Gathered(const HeldSignals& held, const Dictionary& dictionary, std::size_t most_entities)
        : held_{held}, dictionary_{dictionary}, entities_{dictionary, most_entities}, principals_{dictionary, most_entities} {}

    void join(FindingIndex index, const Finding& finding);
    void leave(FindingIndex index, const Finding& finding);

    // A member changed.
    void add_signal(SignalHandle signal);
    void remove_signal(SignalHandle signal);
    void add_principal(EntityId entity) { principals_.add(entity); }
    void remove_principal(EntityId entity) { principals_.remove(entity); }
    void moved(FindingIndex index, const FindingOrder& former, Timestamp former_end, const Finding& finding);
    void rescored(FindingIndex index, double former, const Finding& finding);

    /// Members whose score may be out of date, to be ranked before `leading` is asked for; may name some that left.
    void unrank(FindingIndex index) { unranked_.push_back(index); }
    std::vector<FindingIndex> take_unranked() { return std::exchange(unranked_, {}); }

    const std::map<FindingOrder, FindingIndex>& members() const { return members_; }
    /// Highest score, then earliest.
    FindingIndex leading() const { return by_score_.begin()->second; }
    Timestamp first_activity() const { return members_.begin()->first.start; }
    Timestamp last_activity() const { return *ends_.rbegin(); }
    std::size_t signal_count() const { return signals_.size(); }
    std::size_t entity_count() const { return entities_.size(); }
    void change_listed_entities(std::size_t most) {
        entities_.change_most(most);
        principals_.change_most(most);
    }
    Severity severity() const;

    /// The member that `describe` was last told of, unless it changed since.
    std::optional<FindingIndex> described_leading() const { return described_; }
    void changed(FindingIndex member) {
        if (described_ == member) described_.reset();
    }
    /// How `leading()` is shown.
    void describe_leading(const FindingRecord& leading_record);
    /// Writes the members that follow from the findings. `record`: the same as before, or after `start_record` any. `daily_limit`: of an aggregate, how many
    /// incidents stand alone beside it.
    void describe(IncidentRecord& record, std::optional<std::size_t> daily_limit = {});
    void start_record() { lists_again_ = true; }

private:
    struct PatternUse {
        std::shared_ptr<const Pattern> pattern;
        std::int64_t findings = 0;
    };
    using Rank = std::pair<double, FindingOrder>;  // minus the score
    static Rank rank(double probability, const FindingOrder& order) { return {-probability, order}; }
    void list_claims(IncidentRecord& record) const;
    void list_entities(IncidentRecord& record);
    void change_entities(IncidentRecord& record, const std::vector<EntityId>& changed);
    std::string summary(const IncidentRecord& record, std::optional<std::size_t> daily_limit) const;

    const HeldSignals& held_;
    const Dictionary& dictionary_;
    std::map<FindingOrder, FindingIndex> members_;
    std::map<Rank, FindingIndex> by_score_;
    std::multiset<Timestamp> ends_;
    std::vector<FindingIndex> unranked_;
    std::array<std::int64_t, 4> severities_{};
    std::map<std::pair<std::string, std::int32_t>, PatternUse> patterns_;
    boost::unordered_flat_map<SignalHandle, std::uint32_t, std::hash<SignalHandle>> signals_;
    boost::unordered_flat_map<DefinitionId, std::uint32_t, std::hash<DefinitionId>> definitions_;
    ListedEntities entities_;
    ListedEntities principals_;
    std::optional<FindingIndex> described_;
    std::string title_;  // of `described_`
    std::string leading_summary_;
    double leading_score_ = 0;
    bool claims_changed_ = true;  // patterns or definitions came or went since they were listed
    bool lists_again_ = true;     // the record says nothing of this yet
};

}  // namespace catenary::engine
