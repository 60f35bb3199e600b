#pragma once

#include <string_view>

namespace catenary::engine {

/// Stand-ins for "not known" in any kind: "-", "n/a", "unknown", "null" and their like, and the empty text. In any letter case.
bool is_placeholder(std::string_view value);

/// Account names that every machine has (canonical spelling): root, "nt authority\system", "s-1-5-18", "window manager\dwm-1" …
bool is_shared_account(std::string_view account);

/// What every Windows machine runs under a name without a file (canonical spelling).
bool is_shared_process(std::string_view process);

/// localhost and its like (canonical spelling), also as "host.localhost".
bool is_local_host_name(std::string_view host);

/// The hash of no bytes at all, or a hash of zeros only (canonical spelling).
bool is_empty_hash(std::string_view hash);

}  // namespace catenary::engine
