#include "api/http/etag.hpp"

#include <fmt/format.h>

#include <charconv>

namespace catenary::api::http {
namespace {

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

/// Our tags hold digits only, so a comma never stands inside one that could match.
bool any_tag_is(std::string_view list, std::string_view wanted, std::string_view ignored_prefix) {
    while (!list.empty()) {
        const auto comma = list.find(',');
        auto tag = trimmed(list.substr(0, comma));
        if (!ignored_prefix.empty() && tag.starts_with(ignored_prefix)) tag.remove_prefix(ignored_prefix.size());
        if (tag == wanted) return true;
        if (comma == std::string_view::npos) return false;
        list.remove_prefix(comma + 1);
    }
    return false;
}

}  // namespace

std::string etag_of(std::int64_t revision) { return fmt::format("\"{}\"", revision); }

bool if_match_holds(std::string_view if_match, std::int64_t revision) {
    const auto list = trimmed(if_match);
    return list.empty() || list == "*" || any_tag_is(list, etag_of(revision), {});
}

bool client_has(std::string_view if_none_match, std::int64_t revision) {
    const auto list = trimmed(if_none_match);
    return list == "*" || any_tag_is(list, etag_of(revision), "W/");
}

std::optional<std::int64_t> revision_in(std::string_view if_match) {
    const auto tag = trimmed(if_match);
    if (tag.size() < 3 || tag.front() != '"' || tag.back() != '"') return std::nullopt;
    std::int64_t revision = 0;
    const auto* end = tag.data() + tag.size() - 1;
    const auto parsed = std::from_chars(tag.data() + 1, end, revision);
    if (parsed.ec != std::errc{} || parsed.ptr != end) return std::nullopt;
    return revision;
}

}  // namespace catenary::api::http
