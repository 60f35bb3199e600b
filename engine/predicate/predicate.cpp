#include "engine/predicate/predicate.hpp"

#include "engine/predicate/node.hpp"

#include <algorithm>
#include <array>
#include <iterator>

namespace catenary::engine {

using Node = Predicate::Node;
using NodePointer = std::shared_ptr<const Node>;

NodePointer Node::of(CompiledTest test) {
    const int cost = test.cost();
    return std::make_shared<const Node>(Node{Kind::test, std::move(test), {}, {}, cost});
}

NodePointer Node::of(Kind kind, std::vector<NodePointer> parts) {
    Node node{kind, std::nullopt, std::move(parts), {}, 0};
    for (const auto& part : node.parts) {
        node.by_cost.push_back(part.get());
        node.cost = std::max(node.cost, part->cost);
    }
    std::stable_sort(node.by_cost.begin(), node.by_cost.end(), [](const Node* left, const Node* right) { return left->cost < right->cost; });
    return std::make_shared<const Node>(std::move(node));
}

bool Node::matches(const SignalView& signal, const Watchlists& watchlists) const {
    const auto holds = [&](const Node* part) { return part->matches(signal, watchlists); };
    switch (kind) {
        case Kind::test: return test->matches(signal, watchlists);
        case Kind::all: return std::all_of(by_cost.begin(), by_cost.end(), holds);
        case Kind::any: return std::any_of(by_cost.begin(), by_cost.end(), holds);
        case Kind::none: break;
    }
    return std::none_of(by_cost.begin(), by_cost.end(), holds);
}

bool Node::is_static() const {
    if (kind != Kind::test) return std::all_of(parts.begin(), parts.end(), [](const NodePointer& part) { return part->is_static(); });
    if (test->test().op == FieldTest::Operator::in_list) return false;  // lists change
    switch (test->test().field.kind) {
        case Field::Kind::confidence:
        case Field::Kind::count:
        case Field::Kind::attribute:
        case Field::Kind::entity: return false;
        default: return true;
    }
}

std::optional<std::set<std::string>> Node::required_texts(Field::Kind field) const {
    std::optional<std::set<std::string>> names;
    switch (kind) {
        case Kind::test: {
            const auto& written = test->test();
            if (written.field.kind != field || written.op != FieldTest::Operator::any_of) return std::nullopt;
            names.emplace();
            for (const auto& operand : written.operands) names->insert(std::get<std::string>(operand));
            return names;
        }
        case Kind::all:
            for (const auto& part : parts) {
                auto allowed = part->required_texts(field);
                if (!allowed) continue;
                if (!names) {
                    names = std::move(allowed);
                    continue;
                }
                std::set<std::string> both;
                std::set_intersection(names->begin(), names->end(), allowed->begin(), allowed->end(), std::inserter(both, both.end()));
                names = std::move(both);
            }
            return names;
        case Kind::any:
            names.emplace();
            for (const auto& part : parts) {
                auto allowed = part->required_texts(field);
                if (!allowed) return std::nullopt;
                names->merge(*allowed);
            }
            return names;
        case Kind::none: break;
    }
    return std::nullopt;
}

void Node::collect_attribute_paths(std::set<std::string>& paths) const {
    if (test && test->test().field.kind == Field::Kind::attribute) paths.insert(test->test().field.path);
    for (const auto& part : parts) part->collect_attribute_paths(paths);
}

namespace {

std::vector<NodePointer> roots(const std::vector<Predicate>& predicates, NodePointer Predicate::*root) {
    std::vector<NodePointer> nodes;
    for (const auto& predicate : predicates) nodes.push_back(predicate.*root);
    return nodes;
}

}  // namespace

Predicate::Predicate() : root_{Node::of(Node::Kind::all, {})} {}
Predicate::Predicate(std::shared_ptr<const Node> root) : root_{std::move(root)} {}

Result<Predicate> Predicate::test(FieldTest test) {
    auto compiled = CompiledTest::make(std::move(test));
    if (!compiled) return compiled.error();
    return Predicate{Node::of(std::move(*compiled))};
}

Predicate Predicate::all_of(std::vector<Predicate> parts) {
    std::vector<NodePointer> conjuncts;
    for (const auto& part : parts) {  // nested conjunctions are one, so that each conjunct is one line of an explanation
        if (part.root_->kind != Node::Kind::all) conjuncts.push_back(part.root_);
        if (part.root_->kind == Node::Kind::all) conjuncts.insert(conjuncts.end(), part.root_->parts.begin(), part.root_->parts.end());
    }
    if (conjuncts.size() == 1) return Predicate{std::move(conjuncts.front())};
    return Predicate{Node::of(Node::Kind::all, std::move(conjuncts))};
}

Predicate Predicate::any_of(std::vector<Predicate> parts) {
    if (parts.size() == 1) return parts.front();
    return Predicate{Node::of(Node::Kind::any, roots(parts, &Predicate::root_))};
}

Predicate Predicate::none_of(std::vector<Predicate> parts) { return Predicate{Node::of(Node::Kind::none, roots(parts, &Predicate::root_))}; }

bool Predicate::matches(const SignalView& signal, const Watchlists& watchlists) const { return root_->matches(signal, watchlists); }
bool Predicate::is_static() const { return root_->is_static(); }
std::optional<std::set<std::string>> Predicate::required_names() const { return root_->required_texts(Field::Kind::name); }

bool Predicate::may_overlap(const Predicate& other) const {
    return std::ranges::none_of(std::array{Field::Kind::domain, Field::Kind::source, Field::Kind::name}, [&](Field::Kind field) {
        const auto own = root_->required_texts(field);
        const auto others = other.root_->required_texts(field);
        if (!own || !others) return false;
        return std::ranges::none_of(*own, [&](const std::string& text) { return others->contains(text); });
    });
}

std::set<std::string> Predicate::attribute_paths() const {
    std::set<std::string> paths;
    root_->collect_attribute_paths(paths);
    return paths;
}

std::vector<std::string> Predicate::describe() const {
    if (root_->kind != Node::Kind::all) return {root_->sentence()};
    std::vector<std::string> sentences;
    for (const auto& part : root_->parts) sentences.push_back(part->sentence());
    return sentences;
}

}  // namespace catenary::engine
