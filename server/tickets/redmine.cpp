#include "server/tickets/redmine.hpp"

#include "server/tickets/overlap.hpp"
#include "server/tickets/ticket_note.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace catenary::server::tickets {

using Json = nlohmann::json;

namespace {

constexpr int page_size = 100;  // the largest that Redmine gives
constexpr int most_pages = 50;

/// {"errors": ["Subject cannot be blank"]}
std::string words_of(const Json& body) {
    std::string words;
    for (const auto& error : member(body, "errors")) {
        if (error.is_string()) words += (words.empty() ? "" : "; ") + error.get<std::string>();
    }
    return words;
}

/// Its last line tells which revision of the incident the issue shows.
std::string description_of(const TicketOrder& order, const api::tickets::TicketText& text) { return text.body + "\n" + revision_line(order); }

}  // namespace

Redmine::Redmine(const api::tickets::Connector& connector, Wire& wire, std::string marker_prefix)
    : connector_{connector},
      wire_{wire},
      client_{wire, connector.url, {"X-Redmine-API-Key: " + wire.secret("api_key")}, &words_of},
      marker_prefix_{std::move(marker_prefix)} {}

Remote<Json> Redmine::ask(std::string_view action, const std::string& path) { return client_.ask(action, path); }

Remote<Json> Redmine::write(std::string_view action, const std::string& method, const std::string& path, const Json& body) {
    return client_.write(action, method, path, body);
}

std::string Redmine::marker_of(const Json& issue) const {
    for (const auto& field : member(issue, "custom_fields")) {
        if (text_at(field, "id") == std::to_string(connector_.redmine.incident_field)) return text_at(field, "value");
    }
    return "";
}

RemoteTicket Redmine::ticket_from(const Json& issue) const {
    RemoteTicket ticket;
    ticket.id = text_at(issue, "id");
    ticket.url = connector_.url + "/issues/" + ticket.id;
    const auto& status = member(issue, "status");
    ticket.status = text_at(status, "id");
    ticket.closed = member(status, "is_closed") == true;
    ticket.seen = text_at(issue, "updated_on");
    return ticket;
}

Remote<std::vector<Json>> Redmine::find(const std::string& marker) {
    const auto found = ask("find", fmt::format("/issues.json?status_id=*&cf_{}={}&sort=id:asc&limit=5", connector_.redmine.incident_field, marker));
    if (!found) return of_no_ticket(found.error());  // no such resource: not a Redmine
    std::vector<Json> issues;
    for (const auto& issue : member(*found, "issues")) {
        if (marker_of(issue) != marker) {
            constexpr auto why = "Redmine does not filter by the incident_field: check its id, and that it is used as a filter and visible in all projects";
            wire_.blame(why);
            return RemoteFault{RemoteFault::Kind::permanent, why};
        }
        issues.push_back(issue);
    }
    return issues;
}

Remote<Json> Redmine::read(const std::string& id) {
    const auto found = ask("read", fmt::format("/issues/{}.json", id));
    if (!found) return found.error();
    const auto& issue = member(*found, "issue");
    if (text_at(issue, "id") == id) return issue;
    return RemoteFault{RemoteFault::Kind::later, "its reply is not the issue that was asked for"};
}

Remote<RemoteTicket> Redmine::create(const TicketOrder& order) {
    const auto& incident = order.story.record;
    const auto text = api::tickets::ticket_text(order.connector, order.story);
    Json issue{{"project_id", connector_.redmine.project},
               {"tracker_id", connector_.redmine.tracker},
               {"subject", text.title},
               {"description", description_of(order, text)},
               {"custom_fields", Json::array({{{"id", connector_.redmine.incident_field}, {"value", order.marker}}})}};
    const auto priority = word_of(connector_.priorities, incident.severity);
    const auto status = word_of(connector_.statuses, incident.status);
    if (!priority.empty()) issue["priority_id"] = number_from(priority);
    if (!status.empty()) issue["status_id"] = number_from(status);
    if (!connector_.assignee.empty()) issue["assigned_to_id"] = number_from(connector_.assignee);
    const auto made = write("create", "POST", "/issues.json", {{"issue", std::move(issue)}});
    if (!made) return of_no_ticket(made.error());
    const auto& shown = member(*made, "issue");
    auto ticket = ticket_from(shown);
    ticket.status_is_ours = true;
    if (ticket.id.empty()) {
        constexpr auto why = "it answered 2xx without an issue";
        wire_.blame(why);
        return RemoteFault{RemoteFault::Kind::in_doubt, why};
    }
    if (marker_of(shown) != order.marker) ticket.warning = "Redmine did not keep the incident_field: a lost reply may double this ticket";
    else if (!priority.empty() && text_at(member(shown, "priority"), "id") != priority)
        ticket.warning = fmt::format("Redmine did not take priority {}", priority);
    else if (!status.empty() && ticket.status != status) ticket.warning = fmt::format("Redmine did not take status {} and has {}", status, ticket.status);
    if (!ticket.warning.empty()) wire_.blame(ticket.warning);
    return ticket;
}

Remote<RemoteTicket> Redmine::update(const TicketOrder& order, const std::string& id) {
    const auto& incident = order.story.record;
    const auto before = read(id);
    if (!before) return before.error();
    // An earlier attempt has arrived, and only its reply was lost: a second note would say nothing new.
    const bool arrived = text_at(*before, "description").ends_with(revision_line(order));
    const auto status = word_of(connector_.statuses, incident.status);
    const bool tells_status = !status.empty() && order.told_status != engine::to_string(incident.status) && text_at(member(*before, "status"), "id") != status;
    const auto text = api::tickets::ticket_text(order.connector, order.story);
    const bool shows_all = text_at(*before, "subject") == text.title && shows_body(text_at(*before, "description"), text.body);
    if ((arrived || (shows_all && !order.is_news)) && !tells_status) return ticket_from(*before);
    Json issue{{"subject", text.title}, {"description", description_of(order, text)}};
    if (!arrived && order.is_news) issue["notes"] = note_of(incident);
    const auto priority = word_of(connector_.priorities, incident.severity);
    if (!priority.empty()) issue["priority_id"] = number_from(priority);
    if (tells_status) issue["status_id"] = number_from(status);
    const auto written = write("update", "PUT", fmt::format("/issues/{}.json", id), {{"issue", std::move(issue)}});
    if (!written) return written.error();
    const auto after = read(id);
    if (!after) return after.error();
    auto ticket = ticket_from(*after);
    ticket.status_is_ours = tells_status;
    if (!text_at(*after, "description").ends_with(revision_line(order)))
        ticket.warning = "Redmine did not take the description: does its workflow let this account change it?";
    else if (tells_status && ticket.status != status) ticket.warning = fmt::format("Redmine did not take status {} and has {}", status, ticket.status);
    else if (!priority.empty() && text_at(member(*after, "priority"), "id") != priority)
        ticket.warning = fmt::format("Redmine did not take priority {}", priority);
    if (!ticket.warning.empty()) wire_.blame(ticket.warning);
    return ticket;
}

Remote<RemoteTicket> Redmine::deliver(const TicketOrder& order) {
    if (!order.external_id.empty()) return update(order, order.external_id);
    const auto found = find(order.marker);
    if (!found) return found.error();
    if (found->empty() && order.story.record.merged_into) return unneeded_ticket(order);
    if (found->empty()) return create(order);
    // Made by an attempt whose reply was lost: as it is now, it shows the incident as it was then.
    auto ticket = update(order, text_at(found->front(), "id"));
    if (ticket && found->size() > 1) ticket->warning = fmt::format("{} issues carry the mark of this incident; the oldest is its ticket", found->size());
    return ticket;
}

Remote<std::string> Redmine::test() {
    const auto account = ask("test", "/users/current.json");
    if (!account) return account.error();
    const auto project = ask("test", fmt::format("/projects/{}.json?include=trackers", connector_.redmine.project));
    if (!project) {
        auto fault = project.error();
        if (fault.kind == RemoteFault::Kind::gone) fault = {RemoteFault::Kind::permanent, fmt::format("there is no project {}", connector_.redmine.project)};
        return fault;
    }
    bool has_tracker = false;
    for (const auto& tracker : member(member(*project, "project"), "trackers"))
        has_tracker = has_tracker || text_at(tracker, "id") == std::to_string(connector_.redmine.tracker);
    if (!has_tracker)
        return RemoteFault{RemoteFault::Kind::permanent, fmt::format("project {} has no tracker {}", connector_.redmine.project, connector_.redmine.tracker)};
    // Of an incident that there never is: whatever comes back, the filter is ignored.
    const auto none = find(marker_prefix_ + "0");
    if (!none) return none.error();
    return fmt::format("signed in as {}; project {} is there", wire_.shown(text_at(member(*account, "user"), "login")), connector_.redmine.project);
}

Remote<std::vector<RemoteTicket>> Redmine::changes_since(const std::string& seen) {
    std::vector<RemoteTicket> changed;
    const auto from = overlapped(seen);
    const auto since = from.empty() ? std::string{} : "&updated_on=%3E%3D" + from;
    for (int page = 0; page < most_pages; ++page) {
        const auto found = ask("poll", fmt::format("/issues.json?status_id=*&cf_{}=~{}{}&sort=updated_on:asc&limit={}&offset={}",
                                                   connector_.redmine.incident_field, marker_prefix_, since, page_size, page * page_size));
        if (!found) return found.error();
        const auto& issues = member(*found, "issues");
        for (const auto& issue : issues) {
            if (marker_of(issue).starts_with(marker_prefix_)) changed.push_back(ticket_from(issue));
        }
        if (issues.size() < static_cast<std::size_t>(page_size)) break;
    }
    return changed;
}

Remote<bool> Redmine::set_by_us(const RemoteTicket& ticket) {
    const auto us = our_account();
    if (!us) return us.error();
    const auto found = ask("read", fmt::format("/issues/{}.json?include=journals", ticket.id));
    if (!found) return found.error();
    const auto& issue = member(*found, "issue");
    auto setter = text_at(member(issue, "author"), "id");    // of a copy that somebody made it is not us
    for (const auto& journal : member(issue, "journals")) {  // the oldest first
        for (const auto& detail : member(journal, "details")) {
            if (text_at(detail, "name") == "status_id") setter = text_at(member(journal, "user"), "id");
        }
    }
    return !setter.empty() && setter == *us;
}

}  // namespace catenary::server::tickets
