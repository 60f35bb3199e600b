#pragma once

#include "api/documents/place.hpp"
#include "api/sigma/sigma_import.hpp"

#include <nlohmann/json.hpp>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace catenary::api::sigma {

/// What a correlation refers to: signals that satisfy a predicate, or another correlation.
struct Reference {
    nlohmann::json predicate;
    const nlohmann::json* correlation = nullptr;
    std::string pointer;    ///< of the rule
    engine::Faults faults;  ///< of its selection
};

bool is_known_member(std::string_view name);
/// The names in a correlation's `rules`; malformed ones left out.
std::vector<std::string> references_of(const nlohmann::json& correlation);

/// The members of a pattern document that a rule says outside of its `correlation`.
nlohmann::ordered_json head_of(const nlohmann::json& rule, const documents::Place& place, std::vector<Loss>& losses);

/// A rule's `correlation` as the other members. Faults go to `place`.
class Correlation {
public:
    using Resolve = std::function<Reference(const std::string& name)>;
    Correlation(documents::Place place, const nlohmann::json& correlation, std::vector<Loss>& losses, Resolve resolve);

    /// Adds order, within, link and stages as far as there are no faults.
    void write(nlohmann::ordered_json& document);

private:
    enum class Type { event_count, value_count, temporal, temporal_ordered };
    struct Count {
        std::int64_t at_least;
        std::optional<std::string> distinct;
    };

    void write_counted(nlohmann::ordered_json& document);
    void write_temporal(nlohmann::ordered_json& document, bool ordered);
    std::optional<Type> type() const;
    std::optional<std::string> span() const;
    std::optional<std::string> kind() const;
    std::optional<std::string> kind_of(const std::string& field) const;
    std::optional<Count> count(bool distinct) const;
    void check_all_are_asked_for(std::size_t rules) const;
    std::optional<nlohmann::json> predicate_of_rules() const;
    nlohmann::ordered_json stage(const documents::Place& at, const std::string& name, const std::string& link_kind) const;
    void loss(std::string pointer, std::string detail) const;

    documents::Place place_;
    const nlohmann::json& correlation_;
    std::vector<Loss>& losses_;
    Resolve resolve_;
};

}  // namespace catenary::api::sigma
