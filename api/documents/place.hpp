#pragma once

#include "engine/model/result.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace catenary::api::documents {

/// Where in a document reading has come to, and the list that faults found there go to. Cheap to make; the list outlives it.
class Place {
public:
    /// Faults beyond this many are not recorded: a document that bad needs no longer list.
    static constexpr std::size_t most_faults = 100;

    explicit Place(engine::Faults& faults, std::string pointer = {}) : faults_{&faults}, pointer_{std::move(pointer)} {}

    Place member(std::string_view name) const;
    Place item(std::size_t index) const;
    Place below(std::string_view relative_pointer) const;                                ///< "" or "/2/within", escaped already
    Place at(std::string pointer) const { return Place{*faults_, std::move(pointer)}; }  ///< elsewhere in the same document
    void fault(engine::FaultCode code, std::string detail) const;
    const std::string& pointer() const { return pointer_; }

private:
    engine::Faults* faults_;
    std::string pointer_;  ///< RFC 6901
};

/// `text` in quotes for a fault's detail, cut after 64 bytes (never inside a character).
std::string in_quotes(std::string_view text);

}  // namespace catenary::api::documents
