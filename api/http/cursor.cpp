#include "api/http/cursor.hpp"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>
#include <vector>

namespace catenary::api::http {
namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::size_t digest_bytes = 16;

/// Each part with its length in front, so that no two lists of parts look alike.
void append_part(std::string& text, std::string_view part) {
    text += std::to_string(part.size());
    text += ':';
    text += part;
}

std::string digest(const CursorKey& key, const Request& request, const Caller& caller, std::string_view position) {
    std::string bound;
    append_part(bound, position);
    append_part(bound, std::to_string(caller.tenant.value()));
    for (const auto& segment : request.segments) append_part(bound, segment);
    bound += '?';
    std::vector<std::pair<std::string_view, std::string_view>> filters;
    for (const auto& [name, value] : request.query) {
        if (name != "cursor" && name != "limit") filters.emplace_back(name, value);
    }
    std::sort(filters.begin(), filters.end());
    for (const auto& [name, value] : filters) {
        append_part(bound, name);
        append_part(bound, value);
    }
    std::array<unsigned char, digest_bytes> sum{};
    crypto_generichash(sum.data(), sum.size(), reinterpret_cast<const unsigned char*>(bound.data()), bound.size(), key.data(), key.size());
    return {reinterpret_cast<const char*>(sum.data()), sum.size()};
}

}  // namespace

std::string base64url(std::string_view bytes) {
    std::string text;
    text.reserve((bytes.size() * 4 + 2) / 3);
    std::uint32_t pending = 0;
    unsigned bits = 0;
    for (const char byte : bytes) {
        pending = (pending << 8U) | static_cast<unsigned char>(byte);
        for (bits += 8; bits >= 6; bits -= 6) text += alphabet[(pending >> (bits - 6)) & 63U];
    }
    if (bits > 0) text += alphabet[(pending << (6 - bits)) & 63U];
    return text;
}

std::optional<std::string> from_base64url(std::string_view text) {
    std::string bytes;
    bytes.reserve(text.size() * 3 / 4);
    std::uint32_t pending = 0;
    unsigned bits = 0;
    for (const char letter : text) {
        const auto value = alphabet.find(letter);
        if (value == std::string_view::npos) return std::nullopt;
        pending = ((pending << 6U) | static_cast<std::uint32_t>(value)) & 0xFFFFU;
        bits += 6;
        if (bits < 8) continue;
        bits -= 8;
        bytes += static_cast<char>((pending >> bits) & 0xFFU);
    }
    const bool stray_letter = bits == 6;
    const bool stray_bits = (pending & ((1U << bits) - 1U)) != 0;
    if (stray_letter || stray_bits) return std::nullopt;
    return bytes;
}

std::string seal_cursor(const CursorKey& key, const Request& request, const Caller& caller, std::string_view position) {
    return base64url(digest(key, request, caller, position).append(position));
}

engine::Result<std::string> open_cursor(const CursorKey& key, const Request& request, const Caller& caller, std::string_view cursor) {
    if (cursor.empty()) return std::string{};
    const engine::Fault refused{engine::FaultCode::malformed, "/cursor", "the cursor is damaged, or belongs to another list or other filters"};
    const auto bytes = from_base64url(cursor);
    if (!bytes || bytes->size() <= digest_bytes) return refused;
    auto position = bytes->substr(digest_bytes);
    const auto expected = digest(key, request, caller, position);
    if (sodium_memcmp(expected.data(), bytes->data(), digest_bytes) != 0) return refused;
    return position;
}

}  // namespace catenary::api::http
