#pragma once

#include "engine/model/result.hpp"
#include "engine/model/signal.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace catenary::engine {

/// What a predicate or a `distinct` reads of a signal (semantics.md 3).
struct Field {
    enum class Kind { domain, source, name, tactic, technique, severity, confidence, count, attribute, entity };
    Kind kind;
    std::string path;  ///< attribute path (as in Attribute::path) or entity kind; "" otherwise

    /// From its written form: "name", "attributes.geo.country", "entities.ip". Fault: unknown_field (pointer left "" for the caller).
    static Result<Field> parse(std::string_view written);
    std::string written() const;
    bool operator==(const Field&) const = default;
};

/// The values of a field of one signal as text, for `distinct`: numbers in shortest round-trip form. Empty when absent.
std::vector<std::string> field_values(const Field& field, const SignalView& signal);

/// A leaf as text: numbers in shortest round-trip form, "true" and "false".
std::string attribute_text(const AttributeValue& value);

/// Watchlists by name: whether `name` holds `value`. Unknown names hold nothing.
using Watchlists = std::function<bool(std::string_view name, std::string_view value)>;

/// An operand as the document wrote it.
using Scalar = std::variant<bool, double, std::string>;

/// One test on one field. `any_of` with one value is "equals".
struct FieldTest {
    enum class Operator { any_of, gt, gte, lt, lte, not_any_of, prefix, suffix, contains, matches, cidr, exists, in_list };
    Field field;
    Operator op;
    std::vector<Scalar> operands;  ///< one or more; `exists` takes one bool
};

class SnapshotWriter;

/// A compiled predicate: a value, cheap to copy (shared immutable tree), thread-safe to evaluate.
class Predicate {
public:
    /// Matches every signal (an empty document object).
    Predicate();

    /// Checks operator against field type and operands (numbers for gt…lte except severity names on severity; RE2 syntax; CIDR syntax) and
    /// canonicalises entity operands. Fault pointer is "" or "/<operand index>" relative to the test.
    static Result<Predicate> test(FieldTest test);
    static Predicate all_of(std::vector<Predicate> parts);
    static Predicate any_of(std::vector<Predicate> parts);
    static Predicate none_of(std::vector<Predicate> parts);

    bool matches(const SignalView& signal, const Watchlists& watchlists = {}) const;

    /// True when the answer depends on (domain, source, name, tactics, techniques, severity) only: callers may cache it per such tuple.
    bool is_static() const;
    /// Necessary condition on the name: when set, only signals with one of these names can match. Lets callers index stages by name.
    std::optional<std::set<std::string>> required_names() const;
    /// False when no signal can match both, as far as the domains, sources and names they ask for tell; true is no proof of the contrary.
    bool may_overlap(const Predicate& other) const;
    /// Attribute paths that the predicate reads, so that callers need not extract others.
    std::set<std::string> attribute_paths() const;
    /// One sentence a conjunct, for explanations: {"domain = identity", "name in [impossible_travel, unfamiliar_location_signin]"}.
    std::vector<std::string> describe() const;
    /// Writes all that tells it from other predicates, so that equal bytes are equal predicates.
    void identify(SnapshotWriter& out) const;

    struct Node;

private:
    explicit Predicate(std::shared_ptr<const Node> root);
    std::shared_ptr<const Node> root_;
};

}  // namespace catenary::engine
