#pragma once

#include "engine/model/ids.hpp"
#include "engine/model/time.hpp"

#include <boost/container_hash/hash.hpp>
#include <boost/uuid/uuid.hpp>

#include <cstdint>

namespace catenary::engine {

/// A finding's place in its tenant's table while it is in memory; reused, never persisted.
using FindingIndex = StrongId<struct FindingIndexTag, std::uint32_t>;
/// A group of findings; a place, used again after the group is gone.
using GroupIndex = StrongId<struct GroupIndexTag, std::uint32_t>;

struct FindingIdHash {
    std::size_t operator()(const FindingId& id) const { return boost::hash<boost::uuids::uuid>{}(id.value()); }
};
struct FindingIdLess {
    bool operator()(const FindingId& left, const FindingId& right) const { return left.value() < right.value(); }
};

/// The order in which findings are grouped: first activity, then id. Total, since ids are unique in a tenant.
struct FindingOrder {
    Timestamp start;
    FindingId id;
    template <class Archive, class Self>
    static void fields(Archive& archive, Self& self) {
        archive(self.start, self.id);
    }
    friend bool operator==(const FindingOrder&, const FindingOrder&) = default;
    friend bool operator<(const FindingOrder& left, const FindingOrder& right) {
        if (left.start != right.start) return left.start < right.start;
        return left.id.value() < right.id.value();
    }
};

}  // namespace catenary::engine
