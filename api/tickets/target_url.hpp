#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace catenary::api::tickets {

constexpr std::size_t most_url_bytes = 1'024;

/// An absolute http or https address in its parts.
struct TargetUrl {
    std::string scheme;  ///< http, https
    std::string host;    ///< lower case, IPv6 without brackets
    std::string port;    ///< as given, or the scheme's own
    std::string rest;    ///< path and query, from the slash on; "" when there is none

    /// Empty unless it is such an address without credentials and fragment.
    static std::optional<TargetUrl> parse(std::string_view text);
};

/// What is wrong with an address; a `root` has no query either.
std::optional<std::string> fault_of_url(std::string_view text, bool root);

/// "https://host:port" of an address; a connector with another one is another target. "" of what is none.
std::string origin_of(std::string_view url);

/// whsec_ and 24 to 64 bytes in base64, as the Standard Webhooks specification has it.
bool is_signing_secret(std::string_view text);

}  // namespace catenary::api::tickets
