#include "engine/matching/matcher.hpp"

#include "engine/matching/group_matcher.hpp"
#include "engine/matching/partial_search.hpp"
#include "engine/matching/required_domains.hpp"
#include "engine/matching/timeline_matcher.hpp"
#include "engine/model/assert.hpp"

#include <algorithm>
#include <utility>

namespace catenary::engine {
namespace {

/// Whether an instance may be told from the latest start of a chain of stages on one entity.
bool fits_timelines(const Pattern& pattern) {
    if (!pattern.absent.empty()) return false;
    if (pattern.stages.size() == 1) return true;
    const auto limits_gap = [](const Stage& stage) { return stage.within.has_value(); };
    return pattern.order == Order::sequence && pattern.link != LinkMode::chain && std::none_of(pattern.stages.begin(), pattern.stages.end(), limits_gap);
}

std::unique_ptr<MatcherState> make_state(std::shared_ptr<const Pattern> pattern, std::string identity, Timestamp effective_from, const SignalWindow& window,
                                         const std::vector<Symbol>& link_kinds) {
    if (fits_timelines(*pattern)) return std::make_unique<TimelineMatcher>(std::move(pattern), std::move(identity), effective_from, window, link_kinds);
    return std::make_unique<GroupMatcher>(std::move(pattern), std::move(identity), effective_from, window, link_kinds);
}

}  // namespace

void MatcherState::saw_unwanted(SignalHandle, StageMask, std::span<const EntityId>) {
    CATENARY_ASSERT(false, "only a pattern with absence conditions has signals that satisfy them");
}

PatternMatcher::PatternMatcher(std::shared_ptr<const Pattern> pattern, std::string identity, Timestamp effective_from, const SignalWindow& window,
                               std::vector<Symbol> link_kinds)
    : state_{make_state(std::move(pattern), std::move(identity), effective_from, window, link_kinds)}, window_{&window} {
    if (const auto& least = state_->pattern().required_domains) required_domains_ = std::make_unique<RequiredDomains>(static_cast<std::size_t>(*least));
}
PatternMatcher::~PatternMatcher() = default;
PatternMatcher::PatternMatcher(PatternMatcher&&) noexcept = default;
PatternMatcher& PatternMatcher::operator=(PatternMatcher&&) noexcept = default;

void PatternMatcher::add(SignalHandle signal, StageMask stages, std::span<const EntityId> links, std::span<const std::vector<std::string>> distinct_values,
                         std::span<const EntityId> mentions) {
    const auto served = static_cast<StageMask>(stages & stage_bits);
    if (served != stages) state_->saw_unwanted(signal, static_cast<StageMask>(stages >> first_absence), mentions);
    if (served != 0) state_->add(signal, served, links, distinct_values);
}
void PatternMatcher::move_watermark(Timestamp watermark) { state_->move_watermark(watermark); }
std::optional<Timestamp> PatternMatcher::decides_at() const { return state_->decides_at(); }
std::vector<SignalHandle> PatternMatcher::expire(Timestamp horizon) {
    // A late instance may leave a finding that grows beyond `max_span`, and join one of the same set that ended as long before.
    const Duration reach = pattern().within + pattern().max_span;
    if (required_domains_) required_domains_->forget_before(horizon < Timestamp::min() + reach ? Timestamp::min() : horizon - reach);
    std::vector<SignalHandle> given_up = state_->expire(horizon);
    if (required_domains_ && !given_up.empty()) required_domains_->forget(given_up);
    return given_up;
}
std::vector<FindingDelta> PatternMatcher::take_deltas() {
    std::vector<FindingDelta> deltas = state_->take_deltas();
    return required_domains_ && !deltas.empty() ? required_domains_->admit(std::move(deltas), *window_) : deltas;
}
const Pattern& PatternMatcher::pattern() const { return state_->pattern(); }
std::size_t PatternMatcher::bytes() const { return state_->bytes() + (required_domains_ ? required_domains_->bytes() : 0); }
std::uint64_t PatternMatcher::work() const { return state_->work(); }
std::vector<UnfinishedChain> PatternMatcher::judge(Timestamp watermark) { return state_->judge(watermark); }
Timestamp PatternMatcher::next_judgement() const { return state_->next_judgement(); }
void PatternMatcher::search(PartialSearch& search) const { state_->search(search); }
std::size_t PatternMatcher::attempts() const { return state_->attempts(); }
std::uint64_t PatternMatcher::capped() const { return state_->capped(); }

}  // namespace catenary::engine
