#include "tests/server/tickets/hook_message.hpp"

#include "server/tickets/signatures.hpp"

#include <fmt/format.h>
#include <sodium.h>

#include <array>
#include <chrono>

namespace catenary::tests {

using api::tickets::HookMessage;

std::int64_t seconds_now() { return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count(); }

HookMessage standard_message(const std::string& body, const std::string& id, std::int64_t at, const std::string& secret) {
    const auto signature = server::tickets::webhook_signature({secret}, id, at, body);
    return {{{"webhook-id", id}, {"webhook-timestamp", std::to_string(at)}, {"webhook-signature", signature}}, body};
}

HookMessage jira_message(const std::string& body, const std::string& delivery, const std::string& secret) {
    std::array<unsigned char, crypto_auth_hmacsha256_BYTES> digest{};
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, reinterpret_cast<const unsigned char*>(secret.data()), secret.size());
    crypto_auth_hmacsha256_update(&state, reinterpret_cast<const unsigned char*>(body.data()), body.size());
    crypto_auth_hmacsha256_final(&state, digest.data());
    std::string signature = "sha256=";
    for (const auto byte : digest) signature += fmt::format("{:02x}", byte);
    return {{{"x-hub-signature", signature}, {"x-atlassian-webhook-identifier", delivery}}, body};
}

}  // namespace catenary::tests
