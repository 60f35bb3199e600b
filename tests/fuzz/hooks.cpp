// What comes to a hook: heads of any form are no signature, a body is read only under one, and what is read of it is bounded. Input: a line that stands for a
// signature, then the body.
#include "server/tickets/hooks.hpp"
#include "server/tickets/signatures.hpp"
#include "tests/fuzz/invariant.hpp"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <string>

using namespace catenary;
using namespace catenary::server::tickets;
using api::tickets::HookMessage;
using fuzz::require;

namespace {

constexpr std::int64_t now = 1614265330;
const std::vector<std::string> secrets{"whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"};

HookMessage message(std::string_view signature, std::string_view body) {
    return {{{"webhook-id", "msg_1"},
             {"webhook-timestamp", std::to_string(now)},
             {"webhook-signature", std::string{signature}},
             {"x-hub-signature", std::string{signature}}},
            std::string{body}};
}

void check_news(const HookNews& news) {
    require(news.ticket.size() <= 128, "a ticket's id is short");
    require(!news.delivery.empty() && news.delivery.size() <= 256, "a delivery has an id");
    require(std::ranges::none_of(news.ticket, [](char c) { return c == '\0'; }), "the database can hold a ticket's id");
}

void check_standard(std::string_view body) {
    const auto signature = webhook_signature(secrets, "msg_1", now, body);
    for (const bool reports : {false, true}) {
        const auto read = standard_hook(secrets, message(signature, body), now, reports);
        require(read.has_value(), "what is signed is genuine");
        require(!standard_hook(secrets, message(signature, std::string{body} + "x"), now, reports), "other bytes are not");
        require(!standard_hook(secrets, message(signature, body), now + 301, reports), "nor is it for long");
        if (!*read) continue;
        check_news(**read);
        require((*read)->report.has_value() == (reports && !(*read)->ticket.empty()), "a report is there where one is wanted");
        if ((*read)->report) require((*read)->report->status.size() <= 128 && (*read)->report->url.size() <= 1024, "a report is short");
    }
}

void check_jira(std::string_view body) {
    std::array<unsigned char, crypto_auth_hmacsha256_BYTES> digest{};
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, reinterpret_cast<const unsigned char*>(secrets[0].data()), secrets[0].size());
    crypto_auth_hmacsha256_update(&state, reinterpret_cast<const unsigned char*>(body.data()), body.size());
    crypto_auth_hmacsha256_final(&state, digest.data());
    std::string text(digest.size() * 2 + 1, '\0');
    sodium_bin2hex(text.data(), text.size(), digest.data(), digest.size());
    text.pop_back();
    const auto read = jira_hook(secrets, message("sha256=" + text, body));
    require(read.has_value(), "what is signed is genuine");
    require(!jira_hook(secrets, message("sha256=" + text, std::string{body} + "x")), "other bytes are not");
    if (*read) check_news(**read);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = fuzz::text_of(data, size);
    const auto line = text.substr(0, text.find('\n'));
    const auto body = text.substr(std::min(line.size() + 1, text.size()));
    const auto signature = webhook_signature(secrets, "msg_1", now, body);
    const bool is_listed = line.find(signature) != std::string_view::npos;
    if (!is_listed) {
        require(!standard_hook(secrets, message(line, body), now, true), "what has no signature of ours is not genuine");
        require(!jira_hook(secrets, message(line, body)), "nor is it for Jira");
    }
    check_standard(body);
    check_jira(body);
    return 0;
}
