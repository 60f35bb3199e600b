#pragma once

#include "engine/model/result.hpp"

#include <nlohmann/json.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace catenary::api::sigma {

/// Something of a rule that its pattern does not say: where it stands in what was read, and what it means for the pattern.
struct Loss {
    std::string pointer;
    std::string detail;
};

/// A correlation rule, as a pattern or with the reasons why there is none.
struct ImportedRule {
    std::string rule;         ///< its name, else its id, else its title
    std::string pointer;      ///< of the rule
    nlohmann::json document;  ///< a pattern document that has no faults; null when `faults` is not empty
    std::vector<Loss> not_carried_over;
    engine::Faults faults;
};

/// A rule that others refer to, as signals that they count or await: one that selects log records, or one that was not among those read.
struct AwaitedSignal {
    std::string rule;
    std::string name;  ///< of the signals; empty where the rule's own selection was carried over
    bool defined;      ///< whether the rule was among those read
};

struct SigmaImport {
    std::vector<ImportedRule> rules;  ///< in the order read; those that only serve another one are part of it
    std::vector<AwaitedSignal> signals;
};

inline constexpr std::size_t most_rules = 200;

/// Reads Sigma rules, a YAML stream of them or one or a list of them as JSON. Pointers begin with the number of the rule ("/1/correlation/timespan"), except
/// where JSON holds a single rule. Empty when `faults` gained anything: then it is no text of rules at all.
std::vector<nlohmann::json> read_rules(std::string_view body, bool is_yaml, engine::Faults& faults, bool& is_single);

/// Correlation rules as patterns (what becomes what: the README beside this file).
SigmaImport import_rules(const std::vector<nlohmann::json>& rules, bool is_single);

}  // namespace catenary::api::sigma
