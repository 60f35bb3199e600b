#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace catenary::server::tickets {

/// Of the Standard Webhooks specification: "v1,…" for each secret, separated by spaces: HMAC-SHA256 of "id.timestamp.body" under what the secret's base64
/// stands for.
std::string webhook_signature(const std::vector<std::string>& secrets, std::string_view id, std::int64_t timestamp, std::string_view body);

/// What stands in the headers of a message that the Standard Webhooks specification signs, as it was sent.
struct SignedHead {
    std::string_view id;          ///< webhook-id
    std::string_view timestamp;   ///< webhook-timestamp
    std::string_view signatures;  ///< webhook-signature
};

/// How far the clock of whoever signs may be from ours, either way.
constexpr std::int64_t timestamp_tolerance = 300;

/// Whether one of the signatures is one of our secrets' (`whsec_…`) over these bytes, and the timestamp is within the tolerance of `now`, in seconds since
/// 1970. What is compared is compared in constant time. At most 16 signatures are looked at.
bool is_signed(const std::vector<std::string>& secrets, const SignedHead& head, std::string_view body, std::int64_t now);

/// Whether `header` ("sha256=…", hexadecimal: X-Hub-Signature of Jira, X-Hub-Signature-256 of others) is the HMAC-SHA256 of these bytes under one of the
/// secrets, taken as they are. Nothing in it is bound to a time.
bool is_hub_signed(const std::vector<std::string>& secrets, std::string_view header, std::string_view body);

}  // namespace catenary::server::tickets
