#pragma once

#include <filesystem>
#include <string>

namespace catenary::server {

/// Writes a key into `folder`/admin.key, readable by its owner only, whole or not at all, and on disk when this returns true.
[[nodiscard]] bool keep_admin_key(const std::filesystem::path& folder, const std::string& key);

/// The key in `folder`/admin.key; "" when there is none.
std::string kept_admin_key(const std::filesystem::path& folder);

}  // namespace catenary::server
