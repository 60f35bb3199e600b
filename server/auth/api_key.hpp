#pragma once

#include "server/pg/sha256.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace catenary::server::auth {

/// A key just made: `cat_<id>_<secret>`. The text is shown once; the database keeps id and digest.
struct NewApiKey {
    std::string id;          ///< 12 characters of a-z 0-9
    std::string text;        ///< the whole key
    std::string digest_hex;  ///< SHA-256 of the secret (the 64 hexadecimal digits as text)
};
/// 256 random bits of the operating system's generator.
NewApiKey make_api_key();

/// A presented key, taken apart; empty when it does not have the form of one. The view borrows from `text`.
struct ApiKeyParts {
    std::string_view id;
    std::string_view secret;
};
std::optional<ApiKeyParts> parse_api_key(std::string_view text);

/// Takes the same time whatever the digests hold.
bool same_digest(const pg::Sha256& left, const pg::Sha256& right);

/// Every scope, as bits.
std::uint16_t every_scope();

}  // namespace catenary::server::auth
