#pragma once

#include "engine/model/severity.hpp"
#include "engine/model/time.hpp"
#include "engine/predicate/predicate.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace catenary::engine {

/// semantics.md 4.1: an occurrence completes when `at_least` satisfying signals (or distinct values) lie within `within` and mention one entity.
struct Repeat {
    std::int64_t at_least;  ///< >= 1; a signal counts as its `count` unless `distinct` is set
    Duration within;        ///< > 0, inclusive
    std::string by;         ///< entity kind; one of the pattern's link kinds
    std::optional<Field> distinct;
};

struct Stage {
    std::string id;
    Predicate match;
    bool optional = false;
    std::optional<Duration> within;  ///< longest gap since the end of the previous matched stage, inclusive
    std::optional<Repeat> repeat;
};

/// What must not have happened (semantics.md 4.2): no signal that satisfies `match` and mentions the entity that links the stages. Signals that came
/// behind the watermark count for nothing here: they annotate what was found.
struct Absence {
    enum class Where {
        between,  ///< strictly after the end of `stage` and strictly before the start of `until`
        after,    ///< strictly after the end of `stage`, up to `within` later, inclusive
        before,   ///< strictly before the start of `stage`, from `within` earlier on, inclusive
    };
    static constexpr std::size_t most = 5;  ///< of one pattern

    Predicate match;
    Where where;
    std::size_t stage;      ///< index of a stage; nothing is judged where that was left empty
    std::size_t until = 0;  ///< of `between`: index of another stage, as `stage`
    Duration within{};      ///< of `after` and `before`: 1 s to 14 days
};

enum class Order { sequence, any };
enum class LinkMode { none, same, chain };
enum class Mode { off, flighting, production };
const char* to_string(Mode mode);

/// A declared kill-chain (semantics.md 4), already validated: `make` is the only way in.
struct Pattern {
    std::string id;
    std::int32_t version = 1;
    std::string title;
    std::string description;
    Severity severity = Severity::medium;
    std::vector<std::string> tactics;
    std::vector<std::string> techniques;
    Mode mode = Mode::production;
    Order order = Order::sequence;
    Duration within{};  ///< first activity to last activity, inclusive; 1 s .. max_span
    LinkMode link = LinkMode::none;
    std::vector<std::string> link_kinds;  ///< not empty unless link is none
    std::vector<Stage> stages;            ///< 1..10, at least one not optional
    std::vector<Absence> absent;          ///< at most Absence::most
    bool strict = false;
    bool overlap = false;                 ///< under `order: any`: several pairs of stages may match the same signals
    std::optional<int> required_domains;  ///< 1..4 distinct domains among the evidence of a finding; fewer: it is not reported
    Duration max_span = std::chrono::days{14};

    /// Checks what concerns more than one member (stage count, unique ids, link present, repeat.by among link kinds, ranges …) and returns every
    /// breach, pointers relative to the document ("/stages/1/repeat/by").
    static std::vector<Fault> check(const Pattern& pattern);
};

}  // namespace catenary::engine
