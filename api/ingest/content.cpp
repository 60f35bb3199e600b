#include "api/ingest/content.hpp"

#include <bit>
#include <cstdint>
#include <cstring>

namespace catenary::api::ingest {
namespace {

/// Digests of these bytes are stored: the same on every machine, little end first.
void append_number(std::uint64_t number, std::string& out) {
    static_assert(std::endian::native == std::endian::little, "turn the bytes round here before porting");
    char bytes[sizeof number];
    std::memcpy(bytes, &number, sizeof number);
    out.append(bytes, sizeof number);
}

/// With its length in front, so that no two lists of parts look alike.
void append_part(std::string_view part, std::string& out) {
    append_number(part.size(), out);
    out += part;
}

void append_list(std::span<const std::string_view> parts, std::string& out) {
    append_number(parts.size(), out);
    for (const auto part : parts) append_part(part, out);
}

void append_json(std::string_view minified, std::string& out) {
    const auto from = out.size();
    append_number(0, out);
    if (!minified.empty()) canonical_json(minified, out);
    const std::uint64_t length = out.size() - from - sizeof(std::uint64_t);
    std::memcpy(out.data() + from, &length, sizeof length);
}

}  // namespace

void content_bytes(const PreparedSignal& signal, std::string& out) {
    append_number(static_cast<std::uint64_t>(engine::to_micros(signal.time)), out);
    append_part(signal.domain, out);
    append_part(signal.name, out);
    append_part(signal.title, out);
    append_list(signal.tactics, out);
    append_list(signal.techniques, out);
    append_number(static_cast<std::uint64_t>(signal.severity), out);
    std::uint64_t confidence = 0;
    const double value = signal.confidence == 0 ? 0.0 : signal.confidence;  // -0 is 0
    std::memcpy(&confidence, &value, sizeof confidence);
    append_number(confidence, out);
    append_number(static_cast<std::uint64_t>(signal.count), out);
    append_number(signal.entities.size(), out);
    for (const auto& entity : signal.entities) {
        append_part(entity.kind, out);
        append_part(entity.value, out);
        append_part(entity.role, out);
    }
    if (signal.plain_attributes) {
        append_part(signal.attributes, out);
    } else {
        append_json(signal.attributes, out);
    }
    append_json(signal.aliases, out);
}

}  // namespace catenary::api::ingest
