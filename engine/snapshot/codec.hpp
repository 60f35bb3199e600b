#pragma once

#include "engine/snapshot/reader.hpp"
#include "engine/snapshot/writer.hpp"

#include <boost/uuid/uuid.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <concepts>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

// How values of each kind are written and read. A struct or class says what it consists of in
//
//     template <class Archive, class Self>
//     static void fields(Archive& archive, Self& self) { archive(self.first, self.second); }
//
// or, where more is to be done than that, in `void save(SnapshotWriter&) const` and `void load(SnapshotReader&)`.

namespace catenary::engine {

struct Pattern;

template <class T>
concept HasSnapshotFields = requires(SnapshotWriter& out, const T& value) {
    T::fields(out, value);
};
template <class T>
concept SavesItself = requires(SnapshotWriter& out, const T& value) {
    value.save(out);
};
template <class T>
concept IsMap = requires {
    typename T::mapped_type;
};
template <class T>
concept IsOrdered = requires {
    typename T::key_compare;
};
template <class T>
concept IsUnordered = requires {
    typename T::hasher;
};
template <class T>
concept IsSequence = requires(T value) {
    value.emplace_back();
}
&&!std::same_as<T, std::string>;

/// The greatest enumerator of an enumeration that is saved; each says it next to where it is declared to be read (last_values.hpp).
template <class Enum>
struct LastEnumerator;

template <class T>
void put(SnapshotWriter& out, const T& value);
template <class T>
void get(SnapshotReader& in, T& value);

inline void put(SnapshotWriter& out, const std::string& value) { out.text(value); }
inline void get(SnapshotReader& in, std::string& value) { value = in.text(); }
inline void put(SnapshotWriter& out, const Timestamp& value) { out.time(value); }
inline void get(SnapshotReader& in, Timestamp& value) { value = in.time(); }
inline void put(SnapshotWriter& out, const Duration& value) { out.signed_number(value.count()); }
inline void get(SnapshotReader& in, Duration& value) { value = Duration{in.signed_number()}; }
inline void put(SnapshotWriter& out, const boost::uuids::uuid& value) { out.raw({reinterpret_cast<const char*>(value.data), sizeof value.data}); }
inline void get(SnapshotReader& in, boost::uuids::uuid& value) { std::memcpy(value.data, in.raw(sizeof value.data).data(), sizeof value.data); }
inline void put(SnapshotWriter& out, const std::shared_ptr<const Pattern>& value) { out.pattern(value); }
inline void get(SnapshotReader& in, std::shared_ptr<const Pattern>& value) { value = in.pattern(); }

template <class Tag, class Rep>
void put(SnapshotWriter& out, const StrongId<Tag, Rep>& id) {
    out.name(id);
    put(out, id.value());
}
template <class Tag, class Rep>
void get(SnapshotReader& in, StrongId<Tag, Rep>& id) {
    Rep value{};
    get(in, value);
    id = StrongId<Tag, Rep>{std::move(value)};
    in.check(id);
}

template <class T>
void put(SnapshotWriter& out, const std::optional<T>& value) {
    put(out, value.has_value());
    if (value) put(out, *value);
}
template <class T>
void get(SnapshotReader& in, std::optional<T>& value) {
    bool has = false;
    get(in, has);
    value.reset();
    if (has) get(in, value.emplace());
}
template <class T>
void put(SnapshotWriter& out, const std::unique_ptr<T>& value) {
    put(out, value != nullptr);
    if (value) put(out, *value);
}
template <class T>
void get(SnapshotReader& in, std::unique_ptr<T>& value) {
    bool has = false;
    get(in, has);
    value.reset();
    if (!has) return;
    value = std::make_unique<T>();
    get(in, *value);
}
template <class A, class B>
void put(SnapshotWriter& out, const std::pair<A, B>& value) {
    out(value.first, value.second);
}
template <class A, class B>
void get(SnapshotReader& in, std::pair<A, B>& value) {
    in(value.first, value.second);
}
template <class T, std::size_t n>
void put(SnapshotWriter& out, const std::array<T, n>& values) {
    for (const T& value : values) put(out, value);
}
template <class T, std::size_t n>
void get(SnapshotReader& in, std::array<T, n>& values) {
    for (T& value : values) get(in, value);
}

/// Sorted, so that the order in which a hash table holds its elements does not show in what is written.
template <IsUnordered T>
auto in_order(const SnapshotWriter& out, const T& container) {
    std::vector<const typename T::value_type*> elements;
    elements.reserve(container.size());
    for (const auto& element : container) elements.push_back(&element);
    if (out.is_naming()) return elements;
    std::sort(elements.begin(), elements.end(), [](const auto* left, const auto* right) {
        if constexpr (IsMap<T>) return left->first < right->first;
        else return *left < *right;
    });
    return elements;
}

template <class T>
void put(SnapshotWriter& out, const T& value) {
    if constexpr (HasSnapshotFields<T>) {
        T::fields(out, value);
    } else if constexpr (SavesItself<T>) {
        value.save(out);
    } else if constexpr (std::is_enum_v<T>) {
        out.byte(static_cast<std::uint8_t>(value));
    } else if constexpr (std::is_same_v<T, bool> || std::is_same_v<T, std::uint8_t>) {
        out.byte(value);
    } else if constexpr (std::is_same_v<T, float>) {
        out.unsigned_number(std::bit_cast<std::uint32_t>(value));
    } else if constexpr (std::is_same_v<T, double>) {
        out.real(value);
    } else if constexpr (std::unsigned_integral<T>) {
        out.unsigned_number(value);
    } else if constexpr (std::signed_integral<T>) {
        out.signed_number(value);
    } else if constexpr (IsUnordered<T>) {
        out.unsigned_number(value.size());
        for (const auto* element : in_order(out, value)) put(out, *element);
    } else {
        static_assert(IsOrdered<T> || IsSequence<T>, "say in `fields` what this consists of");
        out.unsigned_number(value.size());
        for (const auto& element : value) put(out, element);
    }
}

template <class T>
void get(SnapshotReader& in, T& value) {
    if constexpr (HasSnapshotFields<T>) {
        T::fields(in, value);
    } else if constexpr (SavesItself<T>) {
        value.load(in);
    } else if constexpr (std::is_enum_v<T>) {
        const std::uint8_t number = in.byte();
        SnapshotReader::require(number <= static_cast<std::uint8_t>(LastEnumerator<T>::value), "an enumerator is unknown");
        value = static_cast<T>(number);
    } else if constexpr (std::is_same_v<T, bool>) {
        const std::uint8_t number = in.byte();
        SnapshotReader::require(number <= 1, "a truth value is neither true nor false");
        value = number == 1;
    } else if constexpr (std::is_same_v<T, std::uint8_t>) {
        value = in.byte();
    } else if constexpr (std::is_same_v<T, float>) {
        value = std::bit_cast<float>(in.number<std::uint32_t>());
    } else if constexpr (std::is_same_v<T, double>) {
        value = in.real();
    } else if constexpr (std::unsigned_integral<T>) {
        value = in.number<T>();
    } else if constexpr (std::signed_integral<T>) {
        const std::int64_t number = in.signed_number();
        SnapshotReader::require(std::in_range<T>(number), "a number is out of range");
        value = static_cast<T>(number);
    } else if constexpr (IsSequence<T>) {
        value.clear();
        for (std::size_t left = in.count(); left > 0; --left) get(in, value.emplace_back());
    } else {
        value.clear();
        for (std::size_t left = in.count(); left > 0; --left) {
            if constexpr (IsMap<T>) {
                typename T::key_type key{};
                get(in, key);
                const auto [place, is_new] = value.try_emplace(std::move(key));
                SnapshotReader::require(is_new, "a key is repeated");
                get(in, place->second);
            } else {
                typename T::value_type element{};
                get(in, element);
                value.insert(std::move(element));
            }
        }
    }
}

}  // namespace catenary::engine
