#pragma once

#include <boost/uuid/uuid.hpp>

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>

namespace catenary::engine {

/// A number or string that means one kind of thing: explicit both ways, so that ids of two kinds never mix.
template <class Tag, class Rep>
class StrongId {
public:
    constexpr StrongId() = default;
    constexpr explicit StrongId(Rep value) : value_{std::move(value)} {}
    constexpr const Rep& value() const { return value_; }
    friend bool operator==(const StrongId&, const StrongId&) = default;
    friend constexpr std::strong_ordering operator<=>(const StrongId& left, const StrongId& right) {
        if (left.value_ < right.value_) return std::strong_ordering::less;  // not defaulted: UUIDs of this Boost have no operator<=>
        return right.value_ < left.value_ ? std::strong_ordering::greater : std::strong_ordering::equal;
    }

private:
    Rep value_{};
};

/// The isolation boundary; from 1 on. Persisted.
using TenantId = StrongId<struct TenantTag, std::int32_t>;
/// Place of a log entry in commit order, from 1 on; positions may have gaps. Persisted.
using Position = StrongId<struct PositionTag, std::int64_t>;
/// Incident number, dense per tenant, from 1 on. Persisted.
using IncidentNumber = StrongId<struct IncidentTag, std::int64_t>;
/// Name-based UUID (RFC 4122 v5) of what identifies a finding (semantics.md 4.3). Persisted.
using FindingId = StrongId<struct FindingTag, boost::uuids::uuid>;
/// An interned string; dense, per pool, never persisted.
using Symbol = StrongId<struct SymbolTag, std::uint32_t>;
/// An entity inside the engine; dense, per tenant, never persisted.
using EntityId = StrongId<struct EntityTag, std::uint32_t>;

}  // namespace catenary::engine

template <class Tag, class Rep>
struct std::hash<catenary::engine::StrongId<Tag, Rep>> {
    std::size_t operator()(const catenary::engine::StrongId<Tag, Rep>& id) const { return std::hash<Rep>{}(id.value()); }
};
