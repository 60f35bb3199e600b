#pragma once

#include "api/adapters/record.hpp"
#include "engine/model/result.hpp"
#include "engine/model/time.hpp"

#include <nlohmann/json.hpp>

#include <initializer_list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace catenary::api::adapters {

/// What became of one foreign record: a signal as POST /signals takes it, or why there is none.
struct Adapted {
    nlohmann::ordered_json signal;
    std::map<std::string, std::string> origins;  ///< pointers into `signal` and where in the record their values come from
    engine::Faults faults;                       ///< pointers into the record; then `signal` is not to be used
};

/// "Impossible travel (atypical)" -> "impossible_travel_atypical": how patterns name signals.
std::string slug(std::string_view text);

/// A signal under construction. Whatever it takes it holds in full; the rest of the record becomes its attributes.
class NeutralSignal {
public:
    static constexpr std::size_t most_entities = 32;  ///< of a signal; further ones stay in the attributes
    static constexpr std::size_t most_entity_bytes = 512;

    /// The first of `nodes` that is text of at most `most_bytes`, whole and taken. False when there is none.
    bool text(std::string_view member, std::initializer_list<Node> nodes, std::size_t most_bytes);
    /// A value made of `origin`, which stays in the attributes too.
    void derive(std::string_view member, nlohmann::ordered_json value, const Node& origin);
    void time(engine::Timestamp time, const Node& origin);
    /// Adds text as an entity and takes it; leaves alone what is no text, too long or beyond the number of entities. True when it was added.
    bool entity(std::string_view kind, const Node& value, std::string_view role);
    /// Of two texts that make one value.
    bool entity(std::string_view kind, const std::string& value, std::initializer_list<Node> parts, std::string_view role);
    /// ATT&CK ids; what is none is left alone.
    void tactic(const Node& id);
    void technique(const Node& id);

    void missing(std::string pointer, std::string detail) { fault(engine::FaultCode::missing, std::move(pointer), std::move(detail)); }
    void fault(engine::FaultCode code, std::string pointer, std::string detail) { adapted_.faults.push_back({code, std::move(pointer), std::move(detail)}); }
    bool has(std::string_view member) const { return adapted_.signal.contains(std::string{member}); }

    /// With the rest of the record as attributes.
    Adapted finish(const Record& record) &&;

private:
    bool attack_id(std::string_view member, const Node& id, std::string_view prefix);

    Adapted adapted_;
    std::map<std::pair<std::string, std::string>, std::size_t> entities_;  ///< index by kind and value
};

}  // namespace catenary::api::adapters
