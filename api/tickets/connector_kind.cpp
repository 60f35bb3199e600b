#include "api/tickets/connector_kind.hpp"

#include <algorithm>
#include <array>

namespace catenary::api::tickets {
namespace {

// A TEXT column of MySQL, which most of them keep bodies in, holds 65,535 bytes; a line of ours comes behind a body.
constexpr std::size_t usual_body = 60'000;

constexpr std::array<KindFacts, 5> kinds{{
    {"webhook", "a webhook", "signing", "by_id", "specification", false, false, 255, usual_body},
    {"redmine", "Redmine", "api_key", "look_up", "real", true, true, 255, usual_body},
    {"request_tracker", "Request Tracker", "token", "look_up", "real", true, true, 200, usual_body},
    // Jira counts 32,767 characters of a text, and 255 of a summary.
    {"jira", "Jira", "api_token", "look_up", "fake", true, true, 255, 30'000},
    // A short description of ServiceNow has 160 characters, a description 4,000, of which a line of ours takes some.
    {"servicenow", "ServiceNow", "password", "look_up", "fake", true, true, 160, 3'800},
}};

constexpr auto words = [] {
    std::array<std::string_view, kinds.size()> all{};
    for (std::size_t i = 0; i < kinds.size(); ++i) all[i] = kinds[i].word;
    return all;
}();

}  // namespace

const KindFacts& facts_of(ConnectorKind kind) { return kinds.at(static_cast<std::size_t>(kind)); }
const KindFacts* facts_of(std::string_view word) {
    const auto* found = std::ranges::find(kinds, word, &KindFacts::word);
    return found == kinds.end() ? nullptr : found;
}
std::string_view to_string(ConnectorKind kind) { return facts_of(kind).word; }
std::span<const std::string_view> kind_words() { return words; }

}  // namespace catenary::api::tickets
