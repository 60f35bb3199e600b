#include "server/ingest/pq_values.hpp"

#include "server/ingest/pq_connection.hpp"
#include "server/ingest/signal_key.hpp"

#include <stdexcept>

namespace catenary::server {
namespace {

// Type numbers of pg_type.dat; fixed for ever.
constexpr Oid bool_type = 16, int8_type = 20, int4_type = 23, text_type = 25, timestamptz_type = 1184, uuid_type = 2950;
constexpr Oid bool_array_type = 1000, int4_array_type = 1007, text_array_type = 1009, int8_array_type = 1016, uuid_array_type = 2951;

std::string array_header(Oid element, std::size_t count) {
    std::string bytes;
    append_number<std::int32_t>(bytes, count == 0 ? 0 : 1);  // dimensions
    append_number<std::int32_t>(bytes, 0);                   // no nulls
    append_number<std::uint32_t>(bytes, element);
    if (count == 0) return bytes;
    append_number(bytes, static_cast<std::int32_t>(count));
    append_number<std::int32_t>(bytes, 1);  // first index
    return bytes;
}

template <class Number>
PqParameter number_array(Oid array, Oid element, std::span<const Number> values) {
    PqParameter parameter{array, array_header(element, values.size())};
    parameter.bytes.reserve(parameter.bytes.size() + values.size() * (sizeof(Number) + 4));
    for (const auto value : values) {
        append_number(parameter.bytes, static_cast<std::int32_t>(sizeof(Number)));
        append_number(parameter.bytes, value);
    }
    return parameter;
}

template <class Number>
PqParameter number(Oid type, Number value) {
    PqParameter parameter{type, {}};
    append_number(parameter.bytes, value);
    return parameter;
}

}  // namespace

PqParameter int4_array(std::span<const std::int32_t> values) { return number_array(int4_array_type, int4_type, values); }
PqParameter int8_array(std::span<const std::int64_t> values) { return number_array(int8_array_type, int8_type, values); }

PqParameter bool_array(const std::vector<bool>& values) {
    PqParameter parameter{bool_array_type, array_header(bool_type, values.size())};
    for (const bool value : values) {
        append_number<std::int32_t>(parameter.bytes, 1);
        parameter.bytes.push_back(value ? 1 : 0);
    }
    return parameter;
}

PqParameter text_array(std::span<const std::string_view> values) {
    PqParameter parameter{text_array_type, array_header(text_type, values.size())};
    for (const auto value : values) {
        append_number(parameter.bytes, static_cast<std::int32_t>(value.size()));
        parameter.bytes.append(value);
    }
    return parameter;
}

PqParameter uuid_array(std::span<const SignalKey> keys) {
    PqParameter parameter{uuid_array_type, array_header(uuid_type, keys.size())};
    for (const auto& key : keys) {
        append_number<std::int32_t>(parameter.bytes, 16);
        append_number(parameter.bytes, key.high);
        append_number(parameter.bytes, key.low);
    }
    return parameter;
}

PqParameter timestamp_value(engine::Timestamp time) { return number(timestamptz_type, to_postgres(time)); }
PqParameter int4_value(std::int32_t value) { return number(int4_type, value); }
PqParameter int8_value(std::int64_t value) { return number(int8_type, value); }

std::string array_literal(std::span<const std::string_view> values) {
    std::string text = "{";
    for (const auto value : values) {
        text += text.size() == 1 ? "\"" : ",\"";
        for (const char c : value) {
            if (c == '"' || c == '\\') text += '\\';
            text += c;
        }
        text += '"';
    }
    return text + '}';
}

std::vector<std::string> read_text_array(std::string_view bytes) {
    const auto take = [&bytes]<class Number>(Number) {
        if (bytes.size() < sizeof(Number)) throw std::invalid_argument("damaged array");
        const auto number = read_number<Number>(bytes);
        bytes.remove_prefix(sizeof(Number));
        return number;
    };
    const auto dimensions = take(std::int32_t{});
    take(std::int32_t{});
    take(std::int32_t{});
    if (dimensions == 0) return {};
    const auto count = take(std::int32_t{});
    take(std::int32_t{});
    if (dimensions != 1 || count < 0) throw std::invalid_argument("not a one-dimensional array");
    std::vector<std::string> values;
    for (std::int32_t i = 0; i < count; ++i) {
        const auto length = take(std::int32_t{});
        if (length < 0 || static_cast<std::size_t>(length) > bytes.size()) throw std::invalid_argument("damaged array element");
        values.emplace_back(bytes.substr(0, static_cast<std::size_t>(length)));
        bytes.remove_prefix(static_cast<std::size_t>(length));
    }
    return values;
}

}  // namespace catenary::server
