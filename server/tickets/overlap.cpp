#include "server/tickets/overlap.hpp"

#include "api/json/time_json.hpp"

namespace catenary::server::tickets {

std::string overlapped(const std::string& seen) {
    const auto time = api::json::parse_time(seen);
    return time ? api::json::format_time(*time - poll_overlap) : "";
}

}  // namespace catenary::server::tickets
