#include "engine/model/ascii.hpp"
#include "engine/model/ip_address.hpp"
#include "engine/model/spelling.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace catenary::engine::spelling {
namespace {

using namespace std::string_view_literals;

constexpr std::pair<std::string_view, std::string_view> default_ports[] = {{"http", "80"}, {"https", "443"}, {"ftp", "21"}, {"ws", "80"}, {"wss", "443"}};

bool are_digits(std::string_view text) { return !text.empty() && text.size() <= 5 && std::all_of(text.begin(), text.end(), is_ascii_digit); }

/// Without brackets, zone ("%eth0") and port: what sources put around an address.
std::string_view bare_ip(std::string_view text) {
    if (text.starts_with('[')) {
        const auto close = text.find(']');
        if (close == std::string_view::npos) return text;
        const auto after = text.substr(close + 1);
        if (!after.empty() && !(after[0] == ':' && are_digits(after.substr(1)))) return text;
        text = text.substr(1, close - 1);
    } else if (const auto colon = text.find(':'); colon != std::string_view::npos && text.find(':', colon + 1) == std::string_view::npos) {
        if (are_digits(text.substr(colon + 1))) text = text.substr(0, colon);  // 192.0.2.1:443; an IPv6 address has two colons at least
    }
    return text.substr(0, text.find('%'));
}

/// Parts of "scheme://user@host:port/rest".
struct UrlParts {
    std::string_view scheme;
    std::string_view user;  ///< with its '@'
    std::string_view host;  ///< with brackets
    std::string_view port;  ///< without ':'
    std::string_view rest;  ///< path, query and fragment
};

bool is_scheme(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char letter) {
        return (ascii_lower(letter) >= 'a' && ascii_lower(letter) <= 'z') || is_ascii_digit(letter) || letter == '+' || letter == '-' || letter == '.';
    });
}

UrlParts split(std::string_view text) {
    UrlParts parts;
    const auto scheme_end = text.find("://");
    if (scheme_end == std::string_view::npos || !is_scheme(text.substr(0, scheme_end))) return parts;
    parts.scheme = text.substr(0, scheme_end);
    text.remove_prefix(scheme_end + 3);
    const auto path = std::min(text.find_first_of("/?#"), text.size());
    parts.rest = text.substr(path);
    auto authority = text.substr(0, path);
    if (const auto at = authority.rfind('@'); at != std::string_view::npos) {
        parts.user = authority.substr(0, at + 1);
        authority.remove_prefix(at + 1);
    }
    const auto colon = authority.rfind(':');
    const bool has_port = colon != std::string_view::npos && authority.find(']', colon) == std::string_view::npos;
    parts.host = authority.substr(0, has_port ? colon : authority.size());
    if (has_port) parts.port = authority.substr(colon + 1);
    return parts;
}

std::string url_once(std::string_view text) {
    const auto parts = split(text);
    if (parts.scheme.empty()) return std::string(text);  // no scheme, no telling which part is the host
    std::string written = ascii_lower(parts.scheme);
    const bool is_default_port = std::any_of(std::begin(default_ports), std::end(default_ports),
                                             [&](const auto& known) { return known.first == written && known.second == parts.port; });
    written.append("://").append(parts.user);
    auto host = parts.host;
    while (host.ends_with('.')) host.remove_suffix(1);
    const auto address = host.starts_with('[') && host.ends_with(']') ? IpAddress::parse(host.substr(1, host.size() - 2)) : std::nullopt;
    if (address && !address->is_v4) {
        written.append("[").append(address->text()).append("]");
    } else {
        for (const char letter : host) written.push_back(ascii_lower(letter));
    }
    if (!parts.port.empty() && !is_default_port) written.append(":").append(parts.port);
    if (!host.empty() && !parts.rest.starts_with('/')) written.push_back('/');  // an empty path and "/" ask for the same thing
    return written.append(parts.rest);
}

}  // namespace

std::string ip(std::string_view text) {
    auto address = IpAddress::parse(text);
    if (address && text.find(':') == std::string_view::npos) return std::string(text);  // dotted decimals have one spelling
    if (!address) address = IpAddress::parse(bare_ip(text));
    return address ? address->text() : std::string(text);
}

std::string_view url_host(std::string_view text) {
    auto host = split(text).host;
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    return host;
}

std::string url(std::string_view text) { return settled(text, url_once); }

bool is_windows_path(std::string_view text) {
    const bool has_drive = text.size() >= 3 && ascii_lower(text[0]) >= 'a' && ascii_lower(text[0]) <= 'z' && text[1] == ':' && text[2] == '/';
    return has_drive || text.find('\\') != std::string_view::npos;
}

bool is_hash(std::string_view text) {
    constexpr std::array lengths{32u, 40u, 56u, 64u, 96u, 128u};
    return std::find(lengths.begin(), lengths.end(), text.size()) != lengths.end() && std::all_of(text.begin(), text.end(), is_ascii_hex);
}

std::string file(std::string_view text) {
    return settled(text, [](std::string_view given) {
        for (const auto label : {"md5:"sv, "sha1:"sv, "sha256:"sv, "sha512:"sv}) {
            if (starts_with_folded(given, label) && is_hash(given.substr(label.size()))) given.remove_prefix(label.size());
        }
        if (is_hash(given)) return ascii_lower(given);
        if (!is_windows_path(given)) return std::string(given);
        // The raw-path prefixes of the object manager lead to the same file.
        if (given.starts_with(R"(\\?\)") || given.starts_with(R"(\??\)")) given = trimmed(given.substr(4));
        std::string folded = ascii_lower(given);
        std::replace(folded.begin(), folded.end(), '/', '\\');
        return folded;
    });
}

std::string process(std::string_view text) { return is_windows_path(text) ? file(text) : ascii_lower(text); }

std::string cloud_resource(std::string_view text) {
    const bool is_azure = starts_with_folded(text, "/subscriptions/") || starts_with_folded(text, "/providers/") || starts_with_folded(text, "/tenants/");
    const bool is_guid = text.size() == 36 && text[8] == '-' && text[13] == '-' && text[18] == '-' && text[23] == '-' &&
                         std::all_of(text.begin(), text.end(), [](char letter) { return letter == '-' || is_ascii_hex(letter); });
    if (!is_azure && !is_guid) return std::string(text);
    while (text.ends_with('/')) text.remove_suffix(1);
    return ascii_lower(text);
}

}  // namespace catenary::engine::spelling
