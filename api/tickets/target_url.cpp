#include "api/tickets/target_url.hpp"

#include <algorithm>

namespace catenary::api::tickets {
namespace {

bool is_host_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_'; }
bool is_url_letter(char c) {
    return c > ' ' && c < 0x7f && c != '"' && c != '<' && c != '>' && c != '\\' && c != '^' && c != '`' && c != '{' && c != '|' && c != '}';
}

}  // namespace

std::optional<TargetUrl> TargetUrl::parse(std::string_view text) {
    if (!std::ranges::all_of(text, is_url_letter) || text.find('#') != std::string_view::npos) return std::nullopt;
    TargetUrl url;
    for (const std::string_view scheme : {"https", "http"}) {
        if (text.starts_with(scheme) && text.substr(scheme.size()).starts_with("://")) url.scheme = scheme;
        if (!url.scheme.empty()) break;
    }
    if (url.scheme.empty()) return std::nullopt;
    text.remove_prefix(url.scheme.size() + 3);
    const auto end = std::min(text.find_first_of("/?"), text.size());
    auto authority = text.substr(0, end);
    url.rest = text.substr(end);
    if (authority.find('@') != std::string_view::npos) return std::nullopt;
    const bool is_v6 = authority.starts_with('[');
    const auto host_end = is_v6 ? authority.find(']') : std::min(authority.find(':'), authority.size());
    if (host_end == std::string_view::npos) return std::nullopt;
    url.host = is_v6 ? authority.substr(1, host_end - 1) : authority.substr(0, host_end);
    std::ranges::transform(url.host, url.host.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    authority.remove_prefix(host_end + (is_v6 ? 1 : 0));
    url.port = url.scheme == "https" ? "443" : "80";
    if (!authority.empty()) {
        if (authority.front() != ':') return std::nullopt;
        url.port = authority.substr(1);
        if (url.port.empty() || url.port.size() > 5 || !std::ranges::all_of(url.port, [](char c) { return c >= '0' && c <= '9'; })) return std::nullopt;
        if (std::stoi(url.port) < 1 || std::stoi(url.port) > 65535) return std::nullopt;
    }
    const auto fits = [is_v6](char c) { return is_v6 ? c == ':' || c == '.' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') : is_host_letter(c); };
    if (url.host.empty() || url.host.size() > 253 || !std::ranges::all_of(url.host, fits)) return std::nullopt;
    return url;
}

std::optional<std::string> fault_of_url(std::string_view text, bool root) {
    const auto url = TargetUrl::parse(text);
    if (!url) return "must be an absolute http or https address without credentials and fragment, percent-encoded where need be";
    if (root && url->rest.find('?') != std::string::npos) return "must be the root of the ticket system: without a query";
    return std::nullopt;
}

std::string origin_of(std::string_view url) {
    const auto parts = TargetUrl::parse(url);
    if (!parts) return "";
    return parts->scheme + "://" + parts->host + ":" + parts->port;
}

bool is_signing_secret(std::string_view text) {
    constexpr std::string_view prefix = "whsec_";
    if (!text.starts_with(prefix)) return false;
    text.remove_prefix(prefix.size());
    if (text.size() % 4 != 0 || text.empty()) return false;
    std::size_t padding = 0;
    while (padding < 2 && text.ends_with('=')) {
        text.remove_suffix(1);
        ++padding;
    }
    const auto bytes = (text.size() + padding) / 4 * 3 - padding;
    return bytes >= 24 && bytes <= 64 &&
           std::ranges::all_of(text, [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/'; });
}

}  // namespace catenary::api::tickets
