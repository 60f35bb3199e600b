#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace catenary::api::tickets {

/// The headers that tell whether a hook is genuine, and which delivery it is; names in lower case.
inline constexpr std::array<std::string_view, 5> hook_headers{"webhook-id", "webhook-timestamp", "webhook-signature", "x-hub-signature",
                                                              "x-atlassian-webhook-identifier"};

/// What a ticket system sends by itself, as it came.
struct HookMessage {
    std::vector<std::pair<std::string, std::string>> headers;  ///< those of hook_headers that it has
    std::string body;

    /// "" when it has none of this name.
    std::string_view header(std::string_view name) const {
        for (const auto& [known, value] : headers) {
            if (known == name) return value;
        }
        return {};
    }
};

}  // namespace catenary::api::tickets
