#pragma once

#include "api/http/request.hpp"
#include "api/ports/caller.hpp"
#include "engine/model/result.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace catenary::api::http {

/// Secret of one database, the same for every process on it, so that a cursor outlives a restart and works on a follower.
using CursorKey = std::array<std::uint8_t, 16>;

/// An opaque keyset cursor: `position` and a keyed digest of position, tenant, path and every query parameter but `cursor` and `limit`
/// (in order of name and value). Only A-Z a-z 0-9 - _.
std::string seal_cursor(const CursorKey& key, const Request& request, const Caller& caller, std::string_view position);

/// The position inside; `cursor` "" gives "". A fault at "/cursor" when it was altered, cut, or made for another tenant, path or filter.
engine::Result<std::string> open_cursor(const CursorKey& key, const Request& request, const Caller& caller, std::string_view cursor);

/// RFC 4648 section 5 without padding.
std::string base64url(std::string_view bytes);
/// Empty on anything that base64url() cannot have written.
std::optional<std::string> from_base64url(std::string_view text);

}  // namespace catenary::api::http
