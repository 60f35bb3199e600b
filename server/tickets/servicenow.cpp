#include "server/tickets/servicenow.hpp"

#include "api/http/target.hpp"
#include "server/tickets/hooks.hpp"
#include "server/tickets/overlap.hpp"
#include "server/tickets/ticket_note.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace catenary::server::tickets {

using api::http::percent_encoded;
using Json = nlohmann::json;

namespace {

constexpr std::size_t page_size = 100;
constexpr std::size_t most_pages = 200;
constexpr std::size_t most_close_notes = 1'000;  // bytes
/// Values as they are stored, references as ids alone, and only what is looked at.
constexpr std::string_view shape =
    "sysparm_display_value=false&sysparm_exclude_reference_link=true"
    "&sysparm_fields=sys_id,number,short_description,description,correlation_id,state,active,close_code,impact,urgency,parent_incident,sys_updated_on";

/// {"error": {"message": "...", "detail": "..."}, "status": "failure"}
std::string words_of(const Json& body) {
    const auto& error = member(body, "error");
    const auto detail = text_at(error, "detail");
    return text_at(error, "message") + (detail.empty() ? "" : ": " + detail);
}

/// ServiceNow answers 403 to what a data policy or a business rule refuses, too: then what was sent is at fault, not who sent it.
bool refuses_what_was_sent(const std::string& words) {
    return words.find("Data Policy") != std::string::npos || words.find("Business Rule") != std::string::npos || words.find("mandatory") != std::string::npos;
}

bool is_closed_state(const std::string& state) { return state == "6" || state == "7" || state == "8"; }  // resolved, closed, cancelled

}  // namespace

ServiceNow::ServiceNow(const api::tickets::Connector& connector, Wire& wire, std::string marker_prefix)
    : connector_{connector},
      wire_{wire},
      client_{wire, connector.url + "/api/now/table/", {wire.basic_authorization(connector.servicenow.account, "password")}, &words_of},
      marker_prefix_{std::move(marker_prefix)} {}

std::string ServiceNow::time_of(const Json& record, std::string_view column) {
    auto time = text_at(record, column);
    if (const auto blank = time.find(' '); blank != std::string::npos) time[blank] = 'T';
    return time.empty() ? time : time + "Z";
}

std::string ServiceNow::path(const std::string& id, const std::string& parameters) const {
    return fmt::format("{}{}{}?{}{}", connector_.servicenow.table, id.empty() ? "" : "/", id, shape, parameters);
}

RemoteTicket ServiceNow::ticket_from(const Json& record) const {
    RemoteTicket ticket;
    ticket.id = text_at(record, "sys_id");
    ticket.url = fmt::format("{}/nav_to.do?uri=%2F{}.do%3Fsys_id%3D{}", connector_.url, connector_.servicenow.table, ticket.id);
    ticket.status = text_at(record, "state");
    ticket.resolution = text_at(record, "close_code");
    ticket.closed =
        text_at(record, "active") == "false" || is_closed_state(ticket.status) || ticket.status == word_of(connector_.statuses, engine::IncidentStatus::closed);
    ticket.seen = time_of(record, "sys_updated_on");
    return ticket;
}

Remote<std::vector<Json>> ServiceNow::list(std::string_view action, const std::string& query, std::size_t most, std::size_t offset) {
    const auto found = client_.ask(action, path("", fmt::format("&sysparm_limit={}&sysparm_offset={}&sysparm_query={}", most, offset, percent_encoded(query))));
    if (!found) return of_no_ticket(found.error());
    const auto& records = member(*found, "result");
    if (!records.is_array()) return RemoteFault{RemoteFault::Kind::later, "its reply is no list of records"};
    return std::vector<Json>{records.begin(), records.end()};
}

Remote<Json> ServiceNow::write(std::string_view action, const std::string& method, const std::string& id, const Json& record) {
    const auto written = client_.write(action, method, path(id, ""), record);
    if (written) return member(*written, "result");
    auto fault = written.error();
    if (client_.status() == 403 && refuses_what_was_sent(fault.words)) fault.kind = RemoteFault::Kind::permanent;
    return fault;
}

Remote<std::vector<Json>> ServiceNow::find(const std::string& marker) {
    auto records = list("find", fmt::format("correlation_id={}^ORDERBYsys_created_on", marker), 5);
    if (!records) return records.error();
    if (std::ranges::any_of(*records, [&](const Json& record) { return text_at(record, "correlation_id") != marker; })) {
        const auto why =
            fmt::format("ServiceNow does not search by correlation_id: has table {} that column, and may this account see it?", connector_.servicenow.table);
        wire_.blame(why);
        return RemoteFault{RemoteFault::Kind::permanent, why};
    }
    return records;
}

Remote<Json> ServiceNow::read(const std::string& id) {
    const auto found = client_.ask("read", path(id, ""));
    if (!found) return found.error();
    const auto& record = member(*found, "result");
    if (text_at(record, "sys_id") == id) return record;
    return RemoteFault{RemoteFault::Kind::later, "its reply is not the record that was asked for"};
}

Json ServiceNow::record_of(const TicketOrder& order) const {
    const auto text = api::tickets::ticket_text(order.connector, order.story);
    Json record{{"short_description", text.title}, {"description", text.body + "\n" + revision_line(order)}};
    if (const auto word = word_of(connector_.priorities, order.story.record.severity); !word.empty()) {
        record["impact"] = word;
        record["urgency"] = word;
    }
    return record;
}

void ServiceNow::add_state(const TicketOrder& order, const std::string& state, Json& record) const {
    record["state"] = state;
    if (order.story.record.status != engine::IncidentStatus::closed) return;
    const auto& target = connector_.servicenow;
    const auto& incident = order.story.record;
    const auto code = incident.classification ? word_of(target.close_codes, *incident.classification) : std::string{};
    record["close_code"] = code.empty() ? target.close_code : code;
    record["close_notes"] = shortened(note_of(incident), most_close_notes);
}

std::string ServiceNow::untaken(const TicketOrder& order, const Json& shown, const std::string& state) const {
    const auto priority = word_of(connector_.priorities, order.story.record.severity);
    if (text_at(shown, "correlation_id") != order.marker) return "ServiceNow did not keep correlation_id: a lost reply may double this ticket";
    if (!state.empty() && text_at(shown, "state") != state) return fmt::format("ServiceNow did not take state {} and has {}", state, text_at(shown, "state"));
    if (last_line(text_at(shown, "description")) != revision_line(order))
        return "ServiceNow did not take the description: may this account change it, and is it long enough?";
    if (!priority.empty() && text_at(shown, "urgency") != priority) return fmt::format("ServiceNow did not take urgency {}", priority);
    return "";
}

Remote<RemoteTicket> ServiceNow::create(const TicketOrder& order) {
    auto record = record_of(order);
    record["correlation_id"] = order.marker;
    record["correlation_display"] = "Catenary";
    if (!connector_.servicenow.group.empty()) record["assignment_group"] = connector_.servicenow.group;
    if (!connector_.assignee.empty()) record["assigned_to"] = connector_.assignee;
    const auto state = word_of(connector_.statuses, order.story.record.status);
    if (!state.empty()) add_state(order, state, record);
    const auto made = write("create", "POST", "", record);
    if (!made) return of_no_ticket(made.error());
    if (text_at(*made, "sys_id").empty()) {
        constexpr auto why = "it answered 2xx without a record";
        wire_.blame(why);
        return RemoteFault{RemoteFault::Kind::in_doubt, why};
    }
    // Its reply says what was stored before its business rules came to an end.
    const auto after = read(text_at(*made, "sys_id"));
    if (!after) return after.error();
    auto ticket = ticket_from(*after);
    ticket.status_is_ours = true;
    ticket.warning = untaken(order, *after, state);
    if (!ticket.warning.empty()) wire_.blame(ticket.warning);
    return ticket;
}

Remote<RemoteTicket> ServiceNow::update(const TicketOrder& order, const std::string& id) {
    const auto& incident = order.story.record;
    const auto before = read(id);
    if (!before) return before.error();
    // An earlier attempt has arrived, and only its reply was lost: a second note would say nothing new.
    const bool arrived = last_line(text_at(*before, "description")) == revision_line(order);
    const auto state = word_of(connector_.statuses, incident.status);
    const bool told = !state.empty() && order.told_status != engine::to_string(incident.status) && text_at(*before, "state") != state;
    const auto text = api::tickets::ticket_text(order.connector, order.story);
    const bool shows_all = text_at(*before, "short_description") == text.title && shows_body(text_at(*before, "description"), text.body);
    if ((arrived || (shows_all && !order.is_news)) && !told) return ticket_from(*before);
    auto record = record_of(order);
    if (!arrived && order.is_news) record[notes_field()] = note_of(incident);
    if (told) add_state(order, state, record);
    const auto written = write("update", "PATCH", id, record);
    if (!written) return written.error();
    const auto after = read(id);
    if (!after) return after.error();
    auto ticket = ticket_from(*after);
    ticket.status_is_ours = told;
    ticket.warning = untaken(order, *after, told ? state : "");
    if (!ticket.warning.empty()) wire_.blame(ticket.warning);
    return ticket;
}

Remote<RemoteTicket> ServiceNow::deliver(const TicketOrder& order) {
    if (!order.external_id.empty()) return update(order, order.external_id);
    const auto found = find(order.marker);
    if (!found) return found.error();
    if (found->empty() && order.story.record.merged_into) return unneeded_ticket(order);
    if (found->empty()) return create(order);
    auto ticket = update(order, text_at(found->front(), "sys_id"));
    if (ticket && found->size() > 1) ticket->warning = fmt::format("{} records carry the mark of this incident; the oldest is its ticket", found->size());
    return ticket;
}

Remote<std::string> ServiceNow::test() {
    const auto none = find(marker_prefix_ + "0");
    if (!none) return none.error();
    if (!none->empty()) return RemoteFault{RemoteFault::Kind::permanent, "it has a record of an incident that there never is"};
    auto found = fmt::format("signed in as {}; table {} is there", connector_.servicenow.account, connector_.servicenow.table);
    if (!connector_.comments) return found;
    const auto entries = journal("test", "elementINwork_notes,comments", 1, 0);
    if (!entries) return RemoteFault{entries.error().kind, "comments need sys_journal_field, which cannot be read: " + entries.error().words};
    // Rows that an account may not see are left out without a word.
    if (entries->empty()) found += "; it shows no entry of sys_journal_field, which comments need: may this account read it?";
    return found;
}

/// Newest first, until what was seen before: a time in a query would be taken for one of the account's own time zone.
Remote<std::vector<RemoteTicket>> ServiceNow::changes_since(const std::string& seen) {
    const auto since = overlapped(seen);
    const auto query = fmt::format("correlation_idSTARTSWITH{}^ORDERBYDESCsys_updated_on", marker_prefix_);
    std::vector<RemoteTicket> changed;
    for (std::size_t page = 0; page < most_pages; ++page) {
        const auto records = list("poll", query, page_size, page * page_size);
        if (!records) return records.error();
        bool older = records->size() < page_size;
        for (const auto& record : *records) {
            if (time_of(record, "sys_updated_on") < since) {
                older = true;
                break;
            }
            if (text_at(record, "correlation_id").starts_with(marker_prefix_)) changed.push_back(ticket_from(record));
        }
        if (!older) continue;
        std::ranges::stable_sort(changed, {}, &RemoteTicket::seen);
        return changed;
    }
    return RemoteFault{RemoteFault::Kind::later, fmt::format("more than {} records changed since {}", most_pages * page_size, since)};
}

Remote<bool> ServiceNow::set_by_us(const RemoteTicket& ticket) {
    const auto query = fmt::format("tablename={}^documentkey={}^fieldname=state^ORDERBYDESCsys_created_on", connector_.servicenow.table, ticket.id);
    const auto found = client_.ask("read", "sys_audit?sysparm_fields=user,documentkey&sysparm_limit=1&sysparm_query=" + percent_encoded(query));
    // Many accounts may not read the history: then a state that differs is somebody's.
    if (!found) return found.error().kind == RemoteFault::Kind::later ? Remote<bool>{found.error()} : Remote<bool>{false};
    const auto& lines = member(*found, "result");
    if (!lines.is_array() || lines.empty() || text_at(lines.front(), "documentkey") != ticket.id) return false;
    return text_at(lines.front(), "user") == connector_.servicenow.account;
}

std::optional<engine::Result<HookNews>> ServiceNow::parse_hook(const api::tickets::HookMessage& message, std::int64_t now) const {
    return standard_hook(wire_.hook_secrets(), message, now, false);
}

Remote<RemoteTicket> ServiceNow::look(const std::string& id) {
    const auto record = read(id);
    if (!record) return record.error();
    return ticket_from(*record);
}

}  // namespace catenary::server::tickets
