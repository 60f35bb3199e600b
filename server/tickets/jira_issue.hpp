#pragma once

#include "server/tickets/ticket_system.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <string>
#include <string_view>

// An issue as Jira shows it, and as it is to be: values only.

namespace catenary::server::tickets::jira {

/// The issue property that says what the issue is to us: {"marker", "revision" that it shows, "created" with that revision, "shows":
/// the digest of what it shows}.
inline constexpr const char* property_key = "catenary";
/// What of an issue is asked for.
inline constexpr const char* issue_fields = "summary,status,resolution,priority,labels,updated";

const nlohmann::json& property_of(const nlohmann::json& issue);
bool has_label(const nlohmann::json& issue, const std::string& label);
/// By its property or its label.
bool carries(const nlohmann::json& issue, const std::string& marker);

/// The issue's id stays when it moves to another project; its key does not.
RemoteTicket ticket_from(const nlohmann::json& issue, const std::string& root);
/// "2026-03-05T11:10:00.000+0100" as "2026-03-05T10:10:00.000Z", so that times compare as texts; "" for what is no time.
std::string utc_of(const std::string& time);

/// The same word, whatever the case of its letters.
bool same(std::string_view left, std::string_view right);

/// Whether a status is what a word of the connector means: its name, or its category (new, indeterminate, done).
bool is_status(const nlohmann::json& status, const std::string& word);
/// Id of the first transition that leads there; "" when none does.
std::string transition_to(const nlohmann::json& transitions, const std::string& word);

/// Summary, description and priority as they are to be.
nlohmann::json fields_of(const TicketOrder& order);
/// Of what a ticket shows but for its revision: the same where nothing of it changed.
std::string digest_of(const TicketOrder& order);
/// What became of them: what Jira did not take; "" when it took all.
std::string untaken(const TicketOrder& order, const nlohmann::json& issue);

}  // namespace catenary::server::tickets::jira
