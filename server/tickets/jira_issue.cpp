#include "server/tickets/jira_issue.hpp"

#include "api/json/time_json.hpp"
#include "server/pg/sha256.hpp"
#include "server/tickets/adf.hpp"
#include "server/tickets/json_client.hpp"
#include "server/tickets/ticket_note.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace catenary::server::tickets::jira {

using Json = nlohmann::json;

namespace {

bool is_id(const std::string& word) {
    return std::ranges::all_of(word, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

bool same(std::string_view left, std::string_view right) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return std::ranges::equal(left, right, {}, lower, lower);
}

const Json& property_of(const Json& issue) { return member(member(issue, "properties"), property_key); }

bool has_label(const Json& issue, const std::string& label) {
    const auto& labels = member(member(issue, "fields"), "labels");
    return std::ranges::any_of(labels, [&](const Json& given) { return given.is_string() && given.get_ref<const std::string&>() == label; });
}

bool carries(const Json& issue, const std::string& marker) { return text_at(property_of(issue), "marker") == marker || has_label(issue, marker); }

std::string utc_of(const std::string& time) {
    auto text = time;
    if (const auto zone = text.find_last_of("+-"); zone != std::string::npos && zone + 5 == text.size()) text.insert(zone + 3, ":");
    const auto parsed = api::json::parse_time(text);
    if (!parsed) return "";
    const auto whole = std::chrono::floor<std::chrono::seconds>(*parsed);
    auto shown = api::json::format_time(whole);
    shown.pop_back();
    return fmt::format("{}.{:03}Z", shown, std::chrono::floor<std::chrono::milliseconds>(*parsed - whole).count());
}

RemoteTicket ticket_from(const Json& issue, const std::string& root) {
    const auto& fields = member(issue, "fields");
    const auto& status = member(fields, "status");
    RemoteTicket ticket;
    ticket.id = text_at(issue, "id");
    ticket.url = root + "/browse/" + text_at(issue, "key");
    ticket.status = text_at(status, "name");
    ticket.resolution = text_at(member(fields, "resolution"), "name");
    ticket.closed = text_at(member(status, "statusCategory"), "key") == "done";
    ticket.seen = utc_of(text_at(fields, "updated"));
    return ticket;
}

bool is_status(const Json& status, const std::string& word) {
    return same(text_at(status, "name"), word) || text_at(member(status, "statusCategory"), "key") == word;
}

std::string transition_to(const Json& transitions, const std::string& word) {
    for (const auto& transition : transitions) {
        if (is_status(member(transition, "to"), word)) return text_at(transition, "id");
    }
    return "";
}

Json fields_of(const TicketOrder& order) {
    const auto text = api::tickets::ticket_text(order.connector, order.story);
    Json fields{{"summary", text.title}, {"description", adf_of(text.body + "\n" + revision_line(order))}};
    if (const auto priority = word_of(order.connector.priorities, order.story.record.severity); !priority.empty())
        fields["priority"] = {{is_id(priority) ? "id" : "name", priority}};
    return fields;
}

std::string digest_of(const TicketOrder& order) {
    const auto text = api::tickets::ticket_text(order.connector, order.story);
    return pg::sha256_hex(fmt::format("{}\n{}\n{}", text.title, text.body, word_of(order.connector.priorities, order.story.record.severity)));
}

std::string untaken(const TicketOrder& order, const Json& issue) {
    const auto& fields = member(issue, "fields");
    const auto& priority = member(fields, "priority");
    const auto wanted = word_of(order.connector.priorities, order.story.record.severity);
    if (text_at(property_of(issue), "marker") != order.marker) {
        return has_label(issue, order.marker) ? "Jira did not keep the property of the issue: a note may come twice"
                                              : "Jira kept neither label nor property of the issue: a lost reply may double this ticket";
    }
    if (!wanted.empty() && text_at(priority, is_id(wanted) ? "id" : "name") != wanted) return fmt::format("Jira did not take priority {}", wanted);
    return "";
}

}  // namespace catenary::server::tickets::jira
