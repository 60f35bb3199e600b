#pragma once

#include "api/ingest/fault_list.hpp"
#include "api/ingest/place.hpp"
#include "api/ingest/tokens.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace catenary::api::ingest {

/// Reads a value of any shape to its end, so that nothing in it stays unchecked, and keeps its minified text.
/// A body that is no JSON throws simdjson::simdjson_error. Reused for every item of a request.
class ValueWalk {
public:
    ValueWalk(StringReader& strings, FaultList& faults, std::size_t most_depth) : strings_{&strings}, faults_{&faults}, most_depth_{most_depth} {}

    struct Minified {
        std::string_view text;  ///< valid until the next walk
        bool plain = true;      ///< canonical_json() would leave it as it is
    };
    /// `depth`: lists and objects around the value.
    Minified walk(ondemand::value& value, std::size_t depth, const Place& place);

private:
    void read(ondemand::value& value, std::size_t depth, const Place& place);
    void object(ondemand::value& value, std::size_t depth, const Place& place);
    void list(ondemand::value& value, std::size_t depth, const Place& place);
    void string(const StringToken& token, const Place& place);
    void number(ondemand::value& value, const Place& place);
    void refuse_repeated_names(std::size_t from, const Place& place);
    bool too_deep(std::size_t depth, const Place& place);

    StringReader* strings_;
    FaultList* faults_;
    std::size_t most_depth_;
    std::string text_;
    std::string scratch_;
    std::vector<std::string_view> names_;  ///< of the objects that are open
    bool plain_ = true;
};

}  // namespace catenary::api::ingest
