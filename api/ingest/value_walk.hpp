#pragma once

#include "api/ingest/tokens.hpp"
#include "api/ingest/trail.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace catenary::api::ingest {

/// Reads a value of any shape to its end, so that nothing in it stays unchecked, and keeps its minified text.
/// Faults go to the trail; a body that is no JSON throws simdjson::simdjson_error. Reused for every item of a request.
class ValueWalk {
public:
    ValueWalk(Arena& arena, std::size_t most_depth) : arena_{&arena}, most_depth_{most_depth} {}

    struct Minified {
        std::string_view text;  ///< valid until the next walk
        bool plain = true;      ///< canonical_json() would leave it as it is
    };
    /// `depth`: lists and objects around the value.
    Minified walk(ondemand::value value, std::size_t depth, Trail& trail);

private:
    void read(ondemand::value& value, std::size_t depth);
    void object(ondemand::value& value, std::size_t depth);
    void list(ondemand::value& value, std::size_t depth);
    void string(const StringToken& token);
    void number(ondemand::value& value);
    void refuse_repeated_names(std::size_t from);
    bool too_deep(std::size_t depth);

    Arena* arena_;
    std::size_t most_depth_;
    Trail* trail_ = nullptr;
    std::string text_;
    std::string scratch_;
    std::vector<std::string_view> names_;  ///< of the objects that are open
    bool plain_ = true;
};

}  // namespace catenary::api::ingest
