#include "engine/scoring/score.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

namespace catenary::engine {
namespace {

constexpr double least_confidence = 0.001;
constexpr double greatest_confidence = 0.999;

double log_odds(double probability) { return std::log2(probability / (1 - probability)); }

/// "0.35", "0.343": three decimals at most. For people, who recompute from the bits.
std::string short_text(double number) {
    const auto thousandths = static_cast<long>(std::lround(number * 1000));
    std::string decimals = std::to_string(1000 + thousandths % 1000).substr(1);
    while (decimals.ends_with('0')) decimals.pop_back();
    return std::to_string(thousandths / 1000) + (decimals.empty() ? "" : "." + decimals);
}

std::string ordinal(std::size_t place) {
    constexpr std::array words{"first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"};
    return place < words.size() ? words[place] : std::to_string(place + 1) + "th";
}

std::string reason(const ScoreInput& input, std::size_t place, double discount) {
    std::string text = "own confidence " + short_text(input.confidence);
    if (place > 0) text += "; " + ordinal(place) + " of source " + input.source + ": × " + short_text(discount);
    return text;
}

/// Of each stage only its heaviest offer, heaviest stage first; a total order on everything that differs, so that the order given does not show.
std::vector<ScoreInput> heaviest_of_each_stage(std::vector<ScoreInput> inputs) {
    std::sort(inputs.begin(), inputs.end(), [](const ScoreInput& left, const ScoreInput& right) {
        return std::tie(right.bits, right.confidence, left.stage, left.source) < std::tie(left.bits, left.confidence, right.stage, right.source);
    });
    std::set<std::string> seen;
    std::erase_if(inputs, [&](const ScoreInput& input) { return !seen.insert(input.stage).second; });
    return inputs;
}

}  // namespace

double weight_bits(double confidence, const ScoringParameters& parameters) {
    const double clipped = std::clamp(confidence, least_confidence, greatest_confidence);
    return std::max(0.0, log_odds(clipped) - log_odds(parameters.base_rate));
}

Score score(std::vector<ScoreInput> inputs, std::size_t distinct_domains, std::size_t phase_rises, const ScoringParameters& parameters) {
    Score result;
    result.prior_bits = log_odds(parameters.base_rate);

    struct SourceShare {
        std::size_t count = 0;
        double discount = 1;
    };
    std::map<std::string, SourceShare> sources;
    for (const auto& input : heaviest_of_each_stage(std::move(inputs))) {
        auto& share = sources[input.source];
        result.contributions.push_back({input.stage, input.bits * share.discount, reason(input, share.count, share.discount)});
        ++share.count;
        share.discount *= parameters.source_discount;
    }
    std::stable_sort(result.contributions.begin(), result.contributions.end(),
                     [](const Contribution& left, const Contribution& right) { return left.bits > right.bits; });

    const auto beyond_first = [](std::size_t count) { return count > 1 ? static_cast<double>(count - 1) : 0.0; };
    result.domain_bonus_bits = parameters.domain_bonus * beyond_first(distinct_domains);
    result.phase_bonus_bits = parameters.phase_bonus * beyond_first(phase_rises);

    // Summed as it is shown, so that whoever adds the explanation up in its order gets the total to the last bit.
    result.total_bits = result.prior_bits;
    for (const auto& contribution : result.contributions) result.total_bits += contribution.bits;
    result.total_bits += result.domain_bonus_bits;
    result.total_bits += result.phase_bonus_bits;
    result.probability = 1 / (1 + std::exp2(-result.total_bits));
    return result;
}

}  // namespace catenary::engine
