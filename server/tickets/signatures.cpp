#include "server/tickets/signatures.hpp"

#include "server/tickets/base64.hpp"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <initializer_list>
#include <optional>

namespace catenary::server::tickets {
namespace {

using Digest = std::array<unsigned char, crypto_auth_hmacsha256_BYTES>;

constexpr int most_signatures = 16;
constexpr std::size_t most_id_bytes = 256;

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

Digest hmac(const unsigned char* key, std::size_t length, std::initializer_list<std::string_view> parts) {
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, key, length);
    for (const auto part : parts) crypto_auth_hmacsha256_update(&state, bytes_of(part), part.size());
    Digest digest{};
    crypto_auth_hmacsha256_final(&state, digest.data());
    sodium_memzero(&state, sizeof state);
    return digest;
}

/// Under what "whsec_" and base64 stand for.
Digest signed_digest(std::string_view secret, std::string_view head, std::string_view body) {
    constexpr std::string_view prefix = "whsec_";
    if (secret.starts_with(prefix)) secret.remove_prefix(prefix.size());
    std::array<unsigned char, 64> key{};
    std::size_t length = 0;
    sodium_base642bin(key.data(), key.size(), secret.data(), secret.size(), nullptr, &length, nullptr, sodium_base64_VARIANT_ORIGINAL);
    const auto digest = hmac(key.data(), length, {head, body});
    sodium_memzero(key.data(), key.size());
    return digest;
}

std::string base64_of(const Digest& digest) { return base64({reinterpret_cast<const char*>(digest.data()), digest.size()}); }

bool is_same(const Digest& left, const Digest& right) { return sodium_memcmp(left.data(), right.data(), left.size()) == 0; }

/// "v1,…" as the bytes that it stands for; empty for any other version or form.
std::optional<Digest> digest_from(std::string_view signature) {
    constexpr std::string_view version = "v1,";
    if (!signature.starts_with(version)) return std::nullopt;
    signature.remove_prefix(version.size());
    Digest digest{};
    std::size_t length = 0;
    const char* end = nullptr;
    const int failed =
        sodium_base642bin(digest.data(), digest.size(), signature.data(), signature.size(), nullptr, &length, &end, sodium_base64_VARIANT_ORIGINAL);
    if (failed != 0 || length != digest.size() || end != signature.data() + signature.size()) return std::nullopt;
    return digest;
}

}  // namespace

std::string webhook_signature(const std::vector<std::string>& secrets, std::string_view id, std::int64_t timestamp, std::string_view body) {
    const auto head = fmt::format("{}.{}.", id, timestamp);
    std::string signatures;
    for (const auto& secret : secrets) signatures += (signatures.empty() ? "v1," : " v1,") + base64_of(signed_digest(secret, head, body));
    return signatures;
}

bool is_signed(const std::vector<std::string>& secrets, const SignedHead& head, std::string_view body, std::int64_t now) {
    std::int64_t timestamp = 0;
    const auto* end = head.timestamp.data() + head.timestamp.size();
    const auto parsed = std::from_chars(head.timestamp.data(), end, timestamp);
    if (parsed.ec != std::errc{} || parsed.ptr != end || timestamp < 0) return false;
    if (timestamp > now + timestamp_tolerance || timestamp < now - timestamp_tolerance) return false;
    if (head.id.empty() || head.id.size() > most_id_bytes) return false;
    // Of the timestamp as it was sent: what is signed is its text.
    const auto signed_head = fmt::format("{}.{}.", head.id, head.timestamp);
    std::vector<Digest> wanted;
    for (const auto& secret : secrets) wanted.push_back(signed_digest(secret, signed_head, body));
    bool holds = false;
    auto rest = head.signatures;
    for (int i = 0; i < most_signatures && !rest.empty(); ++i) {
        const auto given = digest_from(rest.substr(0, rest.find(' ')));
        rest.remove_prefix(std::min(rest.find(' '), rest.size() - 1) + 1);
        for (const auto& digest : wanted) holds = (given && is_same(*given, digest)) || holds;
    }
    return holds;
}

bool is_hub_signed(const std::vector<std::string>& secrets, std::string_view header, std::string_view body) {
    constexpr std::string_view prefix = "sha256=";
    if (!header.starts_with(prefix)) return false;
    header.remove_prefix(prefix.size());
    Digest given{};
    std::size_t length = 0;
    const char* end = nullptr;
    const int failed = sodium_hex2bin(given.data(), given.size(), header.data(), header.size(), nullptr, &length, &end);
    if (failed != 0 || length != given.size() || end != header.data() + header.size()) return false;
    bool holds = false;
    for (const auto& secret : secrets) holds = is_same(given, hmac(bytes_of(secret), secret.size(), {body})) || holds;
    return holds;
}

}  // namespace catenary::server::tickets
