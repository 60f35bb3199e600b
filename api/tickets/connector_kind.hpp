#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace catenary::api::tickets {

enum class ConnectorKind { webhook, redmine, request_tracker, jira, servicenow };

/// What holds of every connector of a kind.
struct KindFacts {
    std::string_view word;            ///< in documents; a ticket system's own members are in a member of this name
    std::string_view name;            ///< for people
    std::string_view secret;          ///< the name of the secret that it needs
    std::string_view deduplication;   ///< how what is sent twice arrives once: by_id, look_up
    std::string_view tested_against;  ///< specification, real, fake
    bool follows_changes;             ///< it can be asked what changed there
    bool carries_notes;               ///< comments go both ways where that is wanted, and tickets of incidents that were merged or split name each other
    std::size_t most_title;           ///< bytes that a title may have there
    std::size_t most_body;
};
const KindFacts& facts_of(ConnectorKind kind);
/// Of the kind with this word; null when there is none.
const KindFacts* facts_of(std::string_view word);
std::string_view to_string(ConnectorKind kind);
/// The words of all kinds, in their order.
std::span<const std::string_view> kind_words();

}  // namespace catenary::api::tickets
