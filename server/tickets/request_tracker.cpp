#include "server/tickets/request_tracker.hpp"

#include "api/http/target.hpp"
#include "server/tickets/ticket_note.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace catenary::server::tickets {

using api::http::percent_encoded;
using Json = nlohmann::json;

namespace {

constexpr int most_rereads = 3;

/// {"message": "..."}, or what a change is answered with: ["Ticket 2: ..."]
std::string words_of(const Json& body) {
    if (!body.is_array()) return text_at(body, "message");
    std::string words;
    for (const auto& line : body) {
        if (line.is_string()) words += (words.empty() ? "" : "; ") + line.get<std::string>();
    }
    return words;
}

std::string path_of(const std::string& id) { return "/ticket/" + id; }

}  // namespace

RequestTracker::RequestTracker(const api::tickets::Connector& connector, Wire& wire, std::string marker_prefix)
    : connector_{connector},
      wire_{wire},
      client_{wire, connector.url + "/REST/2.0", {"Authorization: token " + wire.secret("token")}, &words_of},
      marker_prefix_{std::move(marker_prefix)} {}

/// Data of a note is its subject, as the mail's header had it.
std::string RequestTracker::subject_of(const Json& transaction) {
    auto subject = text_at(transaction, "Data");
    while (!subject.empty() && (subject.back() == '\n' || subject.back() == ' ')) subject.pop_back();
    return subject;
}

std::string RequestTracker::marker_of(const Json& ticket) const {
    for (const auto& field : member(ticket, "CustomFields")) {
        if (text_at(field, "name") != connector_.request_tracker.incident_field) continue;
        const auto& values = member(field, "values");
        if (values.is_array() && !values.empty() && values.front().is_string()) return values.front().get<std::string>();
    }
    return "";
}

RemoteTicket RequestTracker::ticket_from(const Json& ticket) const {
    RemoteTicket shown;
    shown.id = text_at(ticket, "id");
    shown.url = connector_.url + "/Ticket/Display.html?id=" + shown.id;
    shown.status = text_at(ticket, "Status");
    shown.seen = text_at(ticket, "LastUpdated");
    return shown;
}

Remote<void> RequestTracker::check_field() {
    if (field_checked_) return {};
    const auto& target = connector_.request_tracker;
    const auto queue = client_.ask("test", "/queue/" + percent_encoded(target.queue));
    if (!queue) {
        if (queue.error().kind != RemoteFault::Kind::gone) return queue.error();
        return RemoteFault{RemoteFault::Kind::permanent, fmt::format("there is no queue {}", target.queue)};
    }
    const auto& fields = member(*queue, "TicketCustomFields");
    field_checked_ = std::ranges::any_of(fields, [&](const Json& field) { return text_at(field, "name") == target.incident_field; });
    if (field_checked_) return {};
    return RemoteFault{RemoteFault::Kind::permanent,
                       fmt::format("tickets of queue {} have no custom field \"{}\" that this account may see", target.queue, target.incident_field)};
}

Remote<std::vector<std::string>> RequestTracker::find(const std::string& marker) {
    const auto& target = connector_.request_tracker;
    const auto query = fmt::format("Queue = '{}' AND CF.{{{}}} = '{}'", target.queue, target.incident_field, marker);
    const auto found = client_.ask("find", "/tickets?fields=CustomFields&orderby=id&order=ASC&per_page=5&query=" + percent_encoded(query));
    if (!found) return of_no_ticket(found.error());
    std::vector<std::string> ids;
    for (const auto& ticket : member(*found, "items")) {
        if (marker_of(ticket) != marker) {
            constexpr auto why = "Request Tracker does not search by the incident_field: check its name, and that this account may see it";
            wire_.blame(why);
            return RemoteFault{RemoteFault::Kind::permanent, why};
        }
        ids.push_back(text_at(ticket, "id"));
    }
    return ids;
}

Remote<Json> RequestTracker::read(const std::string& id) {
    const auto ticket = client_.ask("read", path_of(id));
    if (!ticket) return ticket.error();
    const auto shown = text_at(*ticket, "id");
    if (shown.empty()) return RemoteFault{RemoteFault::Kind::later, "its reply is no ticket"};
    if (shown != id) return RemoteFault{RemoteFault::Kind::gone, fmt::format("ticket {} was merged into ticket {} there", id, shown)};
    if (text_at(*ticket, "Status") == "deleted") return RemoteFault{RemoteFault::Kind::gone, fmt::format("ticket {} was deleted there", id)};
    return *ticket;
}

Remote<RemoteTicket> RequestTracker::create(const TicketOrder& order) {
    if (const auto checked = check_field(); !checked) return checked.error();
    const auto& target = connector_.request_tracker;
    const auto text = api::tickets::ticket_text(order.connector, order.story);
    const auto priority = word_of(connector_.priorities, order.story.record.severity);
    const auto status = word_of(connector_.statuses, order.story.record.status);
    Json wanted{{"Queue", target.queue},
                {"Subject", text.title},
                {"Content", text.body + "\n" + revision_line(order)},
                {"ContentType", "text/plain"},
                {"CustomFields", {{target.incident_field, order.marker}}}};
    if (!priority.empty()) wanted["Priority"] = std::stoi(priority);
    if (!status.empty()) wanted["Status"] = status;
    if (!connector_.assignee.empty()) wanted["Owner"] = connector_.assignee;
    const auto made = client_.write("create", "POST", "/ticket", wanted);
    if (!made) return of_no_ticket(made.error());
    const auto id = text_at(*made, "id");
    if (id.empty()) {
        constexpr auto why = "it answered 2xx without a ticket";
        wire_.blame(why);
        return RemoteFault{RemoteFault::Kind::in_doubt, why};
    }
    const auto after = read(id);
    if (!after) return after.error();
    auto ticket = ticket_from(*after);
    ticket.status_is_ours = true;
    if (marker_of(*after) != order.marker)
        ticket.warning = fmt::format("Request Tracker did not keep the field \"{}\": a lost reply may double this ticket", target.incident_field);
    else if (!priority.empty() && text_at(*after, "Priority") != priority) ticket.warning = fmt::format("Request Tracker did not take priority {}", priority);
    else if (!status.empty() && ticket.status != status)
        ticket.warning = fmt::format("Request Tracker did not take status {} and has {}", status, ticket.status);
    else if (!connector_.assignee.empty() && text_at(member(*after, "Owner"), "id") != connector_.assignee)
        ticket.warning = fmt::format("Request Tracker did not take the owner {}", connector_.assignee);
    if (!ticket.warning.empty()) wire_.blame(ticket.warning);
    return ticket;
}

bool RequestTracker::tells_status(const TicketOrder& order, const Json& ticket) const {
    const auto& incident = order.story.record;
    const auto status = word_of(connector_.statuses, incident.status);
    return !status.empty() && order.told_status != engine::to_string(incident.status) && text_at(ticket, "Status") != status;
}

Remote<RequestTracker::Change> RequestTracker::change(const TicketOrder& order, const std::string& id, const api::tickets::TicketText& text) {
    const auto priority = word_of(connector_.priorities, order.story.record.severity);
    for (int reread = 0;; ++reread) {
        auto before = read(id);
        if (!before) return before.error();
        const auto etag = client_.etag();
        auto changes = Json::object();
        if (text_at(*before, "Subject") != text.title) changes["Subject"] = text.title;
        if (!priority.empty() && text_at(*before, "Priority") != priority) changes["Priority"] = std::stoi(priority);
        if (tells_status(order, *before)) changes["Status"] = word_of(connector_.statuses, order.story.record.status);
        if (changes.empty()) return Change{*std::move(before), false};
        const auto guard = etag.empty() ? std::vector<std::string>{} : std::vector<std::string>{"If-Match: " + etag};
        const auto written = client_.write("update", "PUT", path_of(id), changes, guard);
        if (written) return Change{*std::move(before), true};
        if (client_.status() != 412) return written.error();
        // Somebody changed it since it was read.
        if (reread == most_rereads) return RemoteFault{RemoteFault::Kind::later, "the ticket changes faster than it can be written"};
    }
}

Remote<bool> RequestTracker::shows(const TicketOrder& order, const std::string& id) {
    const auto line = revision_line(order);
    const auto transactions = history(id, 1);
    if (!transactions) return transactions.error();
    if (std::ranges::any_of(*transactions, [&](const Json& transaction) { return subject_of(transaction) == line; })) return true;
    if (order.delivered != 0) return false;
    // Made by an attempt of which we have not heard: what it was made with says as of which revision.
    const auto attachments = client_.ask("read", path_of(id) + "/attachments?fields=Content&orderby=id&order=ASC&per_page=1");
    if (!attachments) return attachments.error();
    for (const auto& attachment : member(*attachments, "items")) {
        if (text_at(attachment, "Content").find(line + "\n") != std::string::npos || text_at(attachment, "Content").ends_with(line)) return true;
    }
    return false;
}

Remote<bool> RequestTracker::tell(const TicketOrder& order, const std::string& id, const api::tickets::TicketText& text) {
    if (!order.is_news) return false;
    const auto arrived = shows(order, id);
    if (!arrived || *arrived) return arrived ? Remote<bool>{false} : arrived.error();
    const auto& incident = order.story.record;
    auto content = note_of(incident);
    if (!incident.merged_into) content += "\n\n" + text.body;
    const Json note{{"Subject", revision_line(order)}, {"Content", std::move(content)}, {"ContentType", "text/plain"}};
    const auto written = client_.write("update", "POST", path_of(id) + (replies() ? "/correspond" : "/comment"), note);
    if (!written) return written.error();
    return true;
}

Remote<RemoteTicket> RequestTracker::update(const TicketOrder& order, const std::string& id) {
    const auto text = api::tickets::ticket_text(order.connector, order.story);
    const auto status = word_of(connector_.statuses, order.story.record.status);
    const auto priority = word_of(connector_.priorities, order.story.record.severity);
    const auto changed = change(order, id, text);
    if (!changed) return changed.error();
    const bool told = tells_status(order, changed->before);
    const auto noted = tell(order, id, text);
    if (!noted) return noted.error();
    if (!changed->is_changed && !*noted && !replies()) return ticket_from(changed->before);
    auto after = read(id);
    if (after && replies()) {
        const auto put_back = put_back_state(*after, client_.etag());
        if (!put_back) return put_back.error();
        if (*put_back) after = read(id);
    }
    if (!after) return after.error();
    auto ticket = ticket_from(*after);
    ticket.status_is_ours = told;
    if (told && ticket.status != status) ticket.warning = fmt::format("Request Tracker did not take status {} and has {}", status, ticket.status);
    else if (!priority.empty() && text_at(*after, "Priority") != priority) ticket.warning = fmt::format("Request Tracker did not take priority {}", priority);
    if (!ticket.warning.empty()) wire_.blame(ticket.warning);
    return ticket;
}

Remote<RemoteTicket> RequestTracker::deliver(const TicketOrder& order) {
    if (!order.external_id.empty()) return update(order, order.external_id);
    const auto found = find(order.marker);
    if (!found) return found.error();
    if (found->empty() && order.story.record.merged_into) return unneeded_ticket(order);
    if (found->empty()) return create(order);
    auto ticket = update(order, found->front());
    if (ticket && found->size() > 1) ticket->warning = fmt::format("{} tickets carry the mark of this incident; the oldest is its ticket", found->size());
    return ticket;
}

Remote<std::string> RequestTracker::test() {
    const auto system = client_.ask("test", "/rt");
    if (!system) return of_no_ticket(system.error());
    field_checked_ = false;
    closed_words_.clear();
    if (const auto checked = check_field(); !checked) return checked.error();
    const auto none = find(marker_prefix_ + "0");
    if (!none) return none.error();
    return fmt::format("Request Tracker {}; queue {} is there", wire_.shown(text_at(*system, "Version")), connector_.request_tracker.queue);
}

}  // namespace catenary::server::tickets
