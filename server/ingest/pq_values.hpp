#pragma once

// PostgreSQL's binary forms: integers big-endian, arrays with a header, COPY fields with a length before them.

#include "engine/model/time.hpp"

#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace catenary::server {

struct PqParameter;
struct SignalKey;

namespace detail {
constexpr std::uint16_t swapped(std::uint16_t bits) { return __builtin_bswap16(bits); }
constexpr std::uint32_t swapped(std::uint32_t bits) { return __builtin_bswap32(bits); }
constexpr std::uint64_t swapped(std::uint64_t bits) { return __builtin_bswap64(bits); }
template <std::size_t>
struct UnsignedOf;
template <>
struct UnsignedOf<2> {
    using type = std::uint16_t;
};
template <>
struct UnsignedOf<4> {
    using type = std::uint32_t;
};
template <>
struct UnsignedOf<8> {
    using type = std::uint64_t;
};
}  // namespace detail

/// Writes `number` (2, 4 or 8 bytes, integer or floating) big end first.
template <class Number>
char* write_number(char* to, Number number) {
    static_assert(std::endian::native == std::endian::little);
    const auto bits = detail::swapped(std::bit_cast<typename detail::UnsignedOf<sizeof number>::type>(number));
    std::memcpy(to, &bits, sizeof bits);
    return to + sizeof bits;
}
template <class Number>
void append_number(std::string& bytes, Number number) {
    char raw[sizeof number];
    write_number(raw, number);
    bytes.append(raw, sizeof raw);
}
/// `bytes` holds at least the number's width.
template <class Number>
Number read_number(std::string_view bytes) {
    typename detail::UnsignedOf<sizeof(Number)>::type bits;
    std::memcpy(&bits, bytes.data(), sizeof bits);
    return std::bit_cast<Number>(detail::swapped(bits));
}

/// Of a COPY in binary form: its signature, flags and (empty) extension.
inline constexpr std::size_t copy_header_bytes = 19;

/// timestamptz counts from 2000-01-01.
inline constexpr std::int64_t postgres_epoch = 946'684'800'000'000;
constexpr std::int64_t to_postgres(engine::Timestamp time) { return engine::to_micros(time) - postgres_epoch; }
constexpr engine::Timestamp from_postgres(std::int64_t micros) { return engine::from_micros(micros + postgres_epoch); }

PqParameter int4_array(std::span<const std::int32_t> values);
PqParameter int8_array(std::span<const std::int64_t> values);
PqParameter bool_array(const std::vector<bool>& values);
PqParameter text_array(std::span<const std::string_view> values);
PqParameter uuid_array(std::span<const SignalKey> keys);
PqParameter timestamp_value(engine::Timestamp time);
PqParameter int4_value(std::int32_t value);
PqParameter int8_value(std::int64_t value);

/// The text form of a one-dimensional text[] ({"a","b"}), every element quoted.
std::string array_literal(std::span<const std::string_view> values);
/// The elements of a text[] in binary form. Nulls are no elements of ours: std::invalid_argument.
std::vector<std::string> read_text_array(std::string_view bytes);

}  // namespace catenary::server
