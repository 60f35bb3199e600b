#include "tests/oracle/score.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <tuple>

namespace catenary::oracle {
namespace {

double log_odds(double share) { return std::log2(share / (1 - share)); }

double weight(const engine::Signal& signal, double base_rate) {
    return std::max(0.0, log_odds(std::clamp(signal.confidence, 0.001, 0.999)) - log_odds(base_rate));
}

/// prepare < foothold < establish < expand < gather and control < objective
int phase(const std::string& tactic) {
    const std::vector<std::set<std::string>> phases{{"TA0043", "TA0042"},           {"TA0001"},           {"TA0002", "TA0003", "TA0004", "TA0005"},
                                                    {"TA0006", "TA0007", "TA0008"}, {"TA0009", "TA0011"}, {"TA0010", "TA0040"}};
    for (std::size_t i = 0; i < phases.size(); ++i) {
        if (phases[i].contains(tactic)) return static_cast<int>(i);
    }
    return -1;
}

}  // namespace

double score(const std::vector<std::pair<engine::Signal, std::size_t>>& evidence, double base_rate) {
    // A stage weighs its heaviest signal; of equally heavy ones it is the first that says from which source.
    std::map<std::size_t, const engine::Signal*> heaviest;
    const auto is_heavier = [](const engine::Signal& one, const engine::Signal& other) {
        return std::tuple{-one.confidence, one.time, one.source, one.id} < std::tuple{-other.confidence, other.time, other.source, other.id};
    };
    std::set<std::string> domains;
    std::map<engine::Timestamp, int> reached;  // by instant: the highest phase in it
    for (const auto& [signal, stage] : evidence) {
        const auto known = heaviest.emplace(stage, &signal).first;
        if (is_heavier(signal, *known->second)) known->second = &signal;
        domains.insert(signal.domain);
        for (const auto& tactic : signal.tactics) {
            if (phase(tactic) < 0) continue;
            auto& highest = reached.emplace(signal.time, 0).first->second;
            highest = std::max(highest, phase(tactic));
        }
    }
    std::map<std::string, std::vector<double>> by_source;
    for (const auto& [stage, signal] : heaviest) by_source[signal->source].push_back(weight(*signal, base_rate));
    double bits = log_odds(base_rate);
    for (auto& [source, weights] : by_source) {
        std::sort(weights.begin(), weights.end(), std::greater<>{});
        for (std::size_t k = 0; k < weights.size(); ++k) bits += weights[k] * std::pow(0.7, static_cast<double>(k));
    }
    int rises = 0;
    int highest = reached.empty() ? 0 : reached.begin()->second;
    for (const auto& [time, phase_of_instant] : reached) {
        rises += phase_of_instant > highest ? 1 : 0;
        highest = std::max(highest, phase_of_instant);
    }
    bits += std::max(static_cast<double>(domains.size()) - 1, 0.0) + 0.5 * std::max(rises - 1, 0);
    return 1 / (1 + std::exp2(-bits));
}

}  // namespace catenary::oracle
