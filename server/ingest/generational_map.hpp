#pragma once

#include "server/ingest/digest.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <algorithm>
#include <cstddef>
#include <utility>

namespace catenary::server {

/// A bounded map from digests that keeps what was used lately: two generations, of which the older is dropped whole when the younger is full.
/// One thread.
template <class Value>
class GenerationalMap {
public:
    /// Holds between half of `capacity` and `capacity` of the values used last.
    explicit GenerationalMap(std::size_t capacity) : half_{std::max<std::size_t>(capacity / 2, 16)} {}

    /// Null when unknown; valid until the next call.
    Value* find(const Digest& digest) {
        if (const auto it = young_.find(digest); it != young_.end()) return &it->second;
        const auto it = old_.find(digest);
        if (it == old_.end()) return nullptr;
        Value value = std::move(it->second);
        old_.erase(it);
        return put(digest, std::move(value));
    }

    Value* put(const Digest& digest, Value value) {
        if (young_.size() >= half_) {
            old_ = std::move(young_);
            young_ = {};
        }
        return &young_.insert_or_assign(digest, std::move(value)).first->second;
    }

    std::size_t size() const { return young_.size() + old_.size(); }

private:
    using Generation = boost::unordered_flat_map<Digest, Value, DigestHash>;
    std::size_t half_;
    Generation young_;
    Generation old_;
};

}  // namespace catenary::server
