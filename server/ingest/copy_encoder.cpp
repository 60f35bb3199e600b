#include "server/ingest/copy_encoder.hpp"

#include "server/ingest/pq_values.hpp"
#include "server/ingest/signal_row.hpp"

#include <algorithm>
#include <cstring>

namespace catenary::server {
namespace {

constexpr std::size_t large_statement = 5'000;
constexpr std::size_t small_statement = 200;

constexpr std::int16_t fields = 16;
constexpr std::uint32_t int8_type = 20;

template <class Number>
char* put_field(char* to, Number number) {
    to = write_number(to, static_cast<std::int32_t>(sizeof number));
    return write_number(to, number);
}

char* put_field(char* to, std::string_view bytes) {
    to = write_number(to, static_cast<std::int32_t>(bytes.size()));
    std::memcpy(to, bytes.data(), bytes.size());
    return to + bytes.size();
}

char* put_null(char* to) { return write_number(to, std::int32_t{-1}); }

char* put_text_or_null(char* to, std::string_view text) { return text.empty() ? put_null(to) : put_field(to, text); }

char* put_entities(char* to, const std::int64_t* entities, std::size_t count) {
    const auto bytes = count == 0 ? std::size_t{12} : 20 + 12 * count;
    to = write_number(to, static_cast<std::int32_t>(bytes));
    to = write_number(to, std::int32_t{count == 0 ? 0 : 1});  // dimensions
    to = write_number(to, std::int32_t{0});                   // no nulls
    to = write_number(to, int8_type);
    if (count == 0) return to;
    to = write_number(to, static_cast<std::int32_t>(count));
    to = write_number(to, std::int32_t{1});  // first index
    for (std::size_t i = 0; i < count; ++i) to = put_field(to, entities[i]);
    return to;
}

}  // namespace

std::size_t copy_statement_rows(std::size_t waiting) { return waiting >= large_statement || waiting <= small_statement ? waiting : small_statement; }

std::string_view copy_columns() {
    return "key, tenant, position, time, received, def, title, severity, confidence, count, entities, roles, content, source_id, attributes, shown";
}

char* CopyEncoder::room(std::size_t bytes) {
    if (buffer_.size() - used_ < bytes) buffer_.resize(std::max(buffer_.size() * 2, used_ + bytes));
    return buffer_.data() + used_;
}

void CopyEncoder::begin() {
    constexpr std::string_view signature{"PGCOPY\n\377\r\n\0", 11};
    char* const from = room(signature.size() + 8);
    std::memcpy(from, signature.data(), signature.size());
    std::memset(from + signature.size(), 0, 8);  // no flags, no header extension
    used_ += signature.size() + 8;
}

void CopyEncoder::row(const api::ingest::PreparedSignal& signal, const SignalDigests& digests, engine::TenantId tenant, engine::Position position,
                      engine::Timestamp received, std::int32_t definition, std::int32_t title, const std::int64_t* entities) {
    const auto count = signal.entities.size();
    std::string shown;
    const auto spelled_title = title == 0 ? signal.title : std::string_view{};
    const bool plain = signal.shown.empty() && spelled_title.empty() && signal.aliases.empty() &&
                       std::none_of(signal.entities.begin(), signal.entities.end(), [](const auto& e) { return role_code(e.role) == spelled_role; });
    if (!plain) shown = shown_text(signal, spelled_title);

    // Fixed fields with their lengths take less than 170 bytes, an entity 12 and its role 1.
    char* const from = room(256 + 13 * count + signal.id.size() + signal.attributes.size() + shown.size());
    char* to = write_number(from, fields);
    to = write_number(to, std::int32_t{16});
    to = write_number(to, digests.key.high);
    to = write_number(to, digests.key.low);
    to = put_field(to, tenant.value());
    to = put_field(to, position.value());
    to = put_field(to, to_postgres(signal.time));
    to = put_field(to, to_postgres(received));
    to = put_field(to, definition);
    to = title == 0 ? put_null(to) : put_field(to, title);
    to = put_field(to, static_cast<std::int16_t>(signal.severity));
    to = put_field(to, signal.confidence);
    to = put_field(to, signal.count);
    to = put_entities(to, entities, count);
    to = write_number(to, static_cast<std::int32_t>(count));
    for (const auto& entity : signal.entities) *to++ = static_cast<char>(role_code(entity.role));
    to = put_field(to, digests.content);
    to = put_field(to, signal.id);
    to = put_text_or_null(to, signal.attributes);
    to = put_text_or_null(to, shown);
    used_ += static_cast<std::size_t>(to - from);
}

void CopyEncoder::end() {
    write_number(room(2), std::int16_t{-1});
    used_ += 2;
}

}  // namespace catenary::server
