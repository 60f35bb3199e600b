#include "server/net/request_ids.hpp"

#include <fmt/format.h>
#include <algorithm>

namespace catenary::server::net {
namespace {

constexpr std::size_t longest_id = 64;

bool is_id_character(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.'; }

}  // namespace

std::string RequestIds::choose(std::string_view offered) {
    if (!offered.empty() && offered.size() <= longest_id && std::all_of(offered.begin(), offered.end(), is_id_character)) return std::string{offered};
    // splitmix64: a bijection, so ids of one process differ until the counter wraps.
    std::uint64_t z = next_.fetch_add(0x9e3779b97f4a7c15U, std::memory_order_relaxed);
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
    return fmt::format("{:016x}", z ^ (z >> 31U));
}

}  // namespace catenary::server::net
