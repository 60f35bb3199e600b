#pragma once

#include "server/observe/log.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace catenary::server::observe {

/// Now, RFC 3339 in UTC with microseconds.
std::string utc_now();
std::string_view to_string(Level level);

/// An event written as text, `event=word name=value name="more words"`, as one JSON object with its time and level. Text that is no such event becomes
/// {"event": "message", "text": …}. A quoted value ends at a quote that the next name or the end follows, so that it may hold quotes itself.
std::string json_line(Level level, std::string_view text, std::string_view time);

/// Makes the default logger of spdlog, through which stores and workers write such texts, write JSON lines to standard error from `least` on.
void adopt_default_logger(Level least);

}  // namespace catenary::server::observe
