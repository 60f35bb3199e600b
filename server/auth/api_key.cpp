#include "server/auth/api_key.hpp"

#include "api/ports/caller.hpp"

#include <openssl/crypto.h>
#include <sodium.h>

#include <algorithm>
#include <array>

namespace catenary::server::auth {
namespace {

constexpr std::string_view prefix = "cat_";
constexpr std::size_t id_length = 12;
constexpr std::size_t secret_length = 64;  // 256 bits in hexadecimal: no '_', and nothing that mail or shells would change
constexpr std::string_view id_characters = "abcdefghijklmnopqrstuvwxyz0123456789";
constexpr std::string_view hex_digits = "0123456789abcdef";

}  // namespace

NewApiKey make_api_key() {
    NewApiKey key;
    for (std::size_t i = 0; i < id_length; ++i) key.id += id_characters[randombytes_uniform(static_cast<std::uint32_t>(id_characters.size()))];
    std::array<unsigned char, secret_length / 2> bits{};
    randombytes_buf(bits.data(), bits.size());
    std::string secret;
    for (const auto byte : bits) {
        secret += hex_digits[byte >> 4U];
        secret += hex_digits[byte & 15U];
    }
    key.digest_hex = pg::sha256_hex(secret);
    key.text = std::string{prefix} + key.id + '_' + secret;
    return key;
}

std::optional<ApiKeyParts> parse_api_key(std::string_view text) {
    if (text.size() != prefix.size() + id_length + 1 + secret_length || !text.starts_with(prefix)) return std::nullopt;
    const auto id = text.substr(prefix.size(), id_length);
    const auto secret = text.substr(prefix.size() + id_length + 1);
    if (text[prefix.size() + id_length] != '_') return std::nullopt;
    const auto all_of = [](std::string_view word, std::string_view allowed) {
        return std::all_of(word.begin(), word.end(), [&](char c) { return allowed.find(c) != std::string_view::npos; });
    };
    if (!all_of(id, id_characters) || !all_of(secret, hex_digits)) return std::nullopt;
    return ApiKeyParts{id, secret};
}

bool same_digest(const pg::Sha256& left, const pg::Sha256& right) { return CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0; }

std::uint16_t every_scope() {
    unsigned bits = 0;
    for (const auto scope : {api::Scope::signals_write, api::Scope::signals_read, api::Scope::incidents_read, api::Scope::incidents_write,
                             api::Scope::catalogue_write, api::Scope::tickets_write, api::Scope::admin}) {
        bits |= static_cast<unsigned>(scope);
    }
    return static_cast<std::uint16_t>(bits);
}

}  // namespace catenary::server::auth
