#pragma once

#include "engine/model/result.hpp"

#include <optional>
#include <utility>

namespace catenary::api::documents {

/// What a document was read into, or every fault found in it (then `value` is empty and `faults` is not).
template <class T>
struct Parsed {
    std::optional<T> value;
    engine::Faults faults;

    Parsed(T read) : value{std::move(read)} {}                  // NOLINT(google-explicit-constructor): a return value either way
    Parsed(engine::Faults found) : faults{std::move(found)} {}  // NOLINT(google-explicit-constructor)
    explicit operator bool() const { return value.has_value(); }
    T& operator*() { return *value; }
    const T& operator*() const { return *value; }
    T* operator->() { return &*value; }
    const T* operator->() const { return &*value; }
};

}  // namespace catenary::api::documents
