#pragma once

#include "engine/predicate/test.hpp"

namespace catenary::engine {

/// A predicate's immutable tree.
struct Predicate::Node {
    enum class Kind { test, all, any, none };  ///< `all` without parts matches every signal
    Kind kind;
    std::optional<CompiledTest> test;                ///< only of a test
    std::vector<std::shared_ptr<const Node>> parts;  ///< in the order they were written
    std::vector<const Node*> by_cost;                ///< the same, cheapest first: the order of evaluation
    int cost = 0;

    static std::shared_ptr<const Node> of(CompiledTest test);
    static std::shared_ptr<const Node> of(Kind kind, std::vector<std::shared_ptr<const Node>> parts);

    bool matches(const SignalView& signal, const Watchlists& watchlists) const;
    bool is_static() const;
    std::optional<std::set<std::string>> required_texts(Field::Kind field) const;  ///< of a field with one value a signal: domain, source, name
    void collect_attribute_paths(std::set<std::string>& paths) const;
    std::string sentence() const;
    void identify(SnapshotWriter& out) const;
};

}  // namespace catenary::engine
