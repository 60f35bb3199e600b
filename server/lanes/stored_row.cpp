#include "server/lanes/stored_row.hpp"

#include "server/ingest/pq_connection.hpp"
#include "server/ingest/pq_values.hpp"

#include <algorithm>
#include <stdexcept>

namespace catenary::server {
namespace {

constexpr std::int16_t columns = 15;
constexpr std::size_t array_header = 20;

/// Takes the fields of a tuple one after the other.
class TupleFields {
public:
    explicit TupleFields(std::string_view tuple) : rest_{tuple} {
        if (rest_.size() < 2 || read_number<std::int16_t>(rest_) != columns) throw std::invalid_argument("a signal row has other columns than expected");
        rest_.remove_prefix(2);
    }
    /// "" for null.
    std::string_view bytes() {
        const auto length = rest_.size() < 4 ? std::int32_t{-2} : read_number<std::int32_t>(rest_);
        rest_.remove_prefix(std::min<std::size_t>(rest_.size(), 4));
        if (length == -1) return {};
        if (length < 0 || static_cast<std::size_t>(length) > rest_.size()) throw std::invalid_argument("a signal row is cut short");
        const auto field = rest_.substr(0, static_cast<std::size_t>(length));
        rest_.remove_prefix(field.size());
        return field;
    }

private:
    std::string_view rest_;
};

class ResultFields {
public:
    ResultFields(const PqResult& result, int row) : result_{result}, row_{row} {}
    std::string_view bytes() { return result_.text(row_, column_++); }

private:
    const PqResult& result_;
    int row_;
    int column_ = 0;
};

template <class Number>
Number number(std::string_view field) {
    if (field.size() != sizeof(Number)) throw std::invalid_argument("a signal row has a number of another width");
    return read_number<Number>(field);
}

template <class Fields>
StoredRow read_row(Fields fields) {
    StoredRow row;
    row.position = engine::Position{number<std::int64_t>(fields.bytes())};
    const auto key = fields.bytes();
    if (key.size() != 16) throw std::invalid_argument("a signal row has no key");
    row.key = {read_number<std::uint64_t>(key), read_number<std::uint64_t>(key.substr(8))};
    row.tenant = engine::TenantId{number<std::int32_t>(fields.bytes())};
    row.time = from_postgres(number<std::int64_t>(fields.bytes()));
    row.received = from_postgres(number<std::int64_t>(fields.bytes()));
    row.definition = number<std::int32_t>(fields.bytes());
    const auto title = fields.bytes();
    row.title = title.empty() ? 0 : number<std::int32_t>(title);
    row.severity = number<std::int16_t>(fields.bytes());
    row.confidence = number<double>(fields.bytes());
    row.count = number<std::int64_t>(fields.bytes());
    row.entities = fields.bytes();
    const auto roles = fields.bytes();
    row.roles = {reinterpret_cast<const std::byte*>(roles.data()), roles.size()};
    row.source_id = fields.bytes();
    row.attributes = fields.bytes();
    row.shown = fields.bytes();
    return row;
}

}  // namespace

std::string_view stored_columns() {
    return "position, key, tenant, time, received, def, title, severity, confidence, count, entities, roles, source_id, attributes, shown";
}

std::size_t StoredRow::entity_count() const { return entities.size() < array_header ? 0 : (entities.size() - array_header) / 12; }
std::int64_t StoredRow::entity(std::size_t index) const { return read_number<std::int64_t>(entities.substr(array_header + 12 * index + 4, 8)); }

StoredRow stored_row(std::string_view tuple) { return read_row(TupleFields{tuple}); }
StoredRow stored_row(const PqResult& result, int row) { return read_row(ResultFields{result, row}); }

engine::Position position_of(std::string_view tuple) {
    constexpr std::size_t at = 6;  // after the number of fields and the field's length
    if (tuple.size() < at + 8) throw std::invalid_argument("a signal row is cut short");
    return engine::Position{read_number<std::int64_t>(tuple.substr(at))};
}

}  // namespace catenary::server
