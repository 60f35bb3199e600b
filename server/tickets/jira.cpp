#include "server/tickets/jira.hpp"

#include "server/tickets/hooks.hpp"
#include "server/tickets/jira_issue.hpp"
#include "server/tickets/ticket_note.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace catenary::server::tickets {

using Json = nlohmann::json;
using namespace jira;

namespace {

constexpr std::size_t newest_comments = 50;  // of which the note of a change is one, if it has arrived

/// {"errorMessages": ["..."], "errors": {"labels": "..."}}
std::string words_of(const Json& body) {
    std::string words;
    const auto add = [&](const std::string& line) { words += (words.empty() ? "" : "; ") + line; };
    for (const auto& line : member(body, "errorMessages")) {
        if (line.is_string()) add(line.get<std::string>());
    }
    const auto& errors = member(body, "errors");
    if (!errors.is_object()) return words;
    for (const auto& [field, line] : errors.items()) {
        if (line.is_string()) add(field + ": " + line.get<std::string>());
    }
    return words;
}

std::string path_of(const std::string& id) { return "/issue/" + id; }

}  // namespace

Jira::Jira(const api::tickets::Connector& connector, Wire& wire, std::string marker_prefix, Clock clock)
    : connector_{connector},
      wire_{wire},
      client_{wire, connector.url + "/rest/api/3", {wire.basic_authorization(connector.jira.account, "api_token")}, &words_of},
      marker_prefix_{std::move(marker_prefix)},
      clock_{clock ? std::move(clock) : Clock{[] { return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now()); }}} {}

Remote<Json> Jira::read(const std::string& id) {
    const auto issue = client_.ask("read", fmt::format("{}?fields={}&properties={}", path_of(id), issue_fields, property_key));
    if (!issue) return issue.error();
    if (text_at(*issue, "id") != id) return RemoteFault{RemoteFault::Kind::later, "its reply is not the issue that was asked for"};
    return *issue;
}

Remote<void> Jira::link(const TicketOrder& order, const std::string& id) {
    const auto back = api::tickets::link_back(order.connector, order.story.record.number);
    if (back.empty()) return {};
    const Json wanted{{"globalId", order.marker},
                      {"application", {{"type", "catenary"}, {"name", "Catenary"}}},
                      {"relationship", "is the ticket of"},
                      {"object", {{"url", back}, {"title", fmt::format("Incident {}", order.story.record.number.value())}}}};
    const auto written = client_.write("update", "POST", path_of(id) + "/remotelink", wanted);
    if (!written) return written.error();
    return {};
}

Remote<void> Jira::note(const TicketOrder& order, const std::string& id) {
    const auto line = revision_line(order);
    const auto there = find_lines(id, {line}, newest_comments);
    if (!there) return there.error();
    if (there->lines.contains(line)) return {};  // it has arrived, and only its reply was lost
    return comment(id, {"", note_of(order.story.record)}, line);
}

Remote<std::string> Jira::bring(const std::string& id, const std::string& word) {
    const auto found = client_.ask("read", path_of(id) + "/transitions");
    if (!found) return found.error();
    const auto transition = transition_to(member(*found, "transitions"), word);
    if (transition.empty()) return fmt::format("no transition of Jira leads to {} from where the issue is", word);
    const auto written = client_.write("update", "POST", path_of(id) + "/transitions", {{"transition", {{"id", transition}}}});
    if (!written) return written.error();
    return std::string{};
}

Remote<RemoteTicket> Jira::read_back(const TicketOrder& order, const std::string& id, bool told, std::string warning) {
    const auto after = read(id);
    if (!after) return after.error();
    auto ticket = ticket_from(*after, connector_.url);
    ticket.status_is_ours = told;
    const auto word = word_of(connector_.statuses, order.story.record.status);
    ticket.warning = std::move(warning);
    if (ticket.warning.empty() && told && !is_status(member(member(*after, "fields"), "status"), word))
        ticket.warning = fmt::format("Jira did not take status {} and has {}", word, ticket.status);
    if (ticket.warning.empty()) ticket.warning = untaken(order, *after);
    if (!ticket.warning.empty()) wire_.blame(ticket.warning);
    return ticket;
}

Remote<RemoteTicket> Jira::create(const TicketOrder& order) {
    auto fields = fields_of(order);
    fields["project"] = {{"key", connector_.jira.project}};
    fields["issuetype"] = {{"name", connector_.jira.issue_type}};
    auto& labels = fields["labels"] = Json::array({tenant_label(), order.marker});
    for (const auto& label : connector_.labels) labels.push_back(label);
    if (!connector_.assignee.empty()) fields["assignee"] = {{"accountId", connector_.assignee}};
    const auto revision = order.story.record.revision;
    Json property{{"key", property_key}, {"value", {{"marker", order.marker}, {"revision", revision}, {"created", revision}, {"shows", digest_of(order)}}}};
    const auto made = client_.write("create", "POST", "/issue", {{"fields", std::move(fields)}, {"properties", Json::array({std::move(property)})}});
    if (!made) return of_no_ticket(made.error());
    const auto id = text_at(*made, "id");
    if (id.empty()) {
        constexpr auto why = "it answered 2xx without an issue";
        wire_.blame(why);
        return RemoteFault{RemoteFault::Kind::in_doubt, why};
    }
    // From here on it is found again, whatever fails.
    return update(order, id);
}

Remote<RemoteTicket> Jira::update(const TicketOrder& order, const std::string& id) {
    const auto before = read(id);
    if (!before) return before.error();
    const auto revision = std::to_string(order.story.record.revision);
    auto property = property_of(*before);
    const auto digest = digest_of(order);
    const bool shows_all = text_at(property, "shows") == digest && has_label(*before, order.marker);
    if (text_at(property, "revision") != revision && (order.is_news || !shows_all)) {
        if (!property.is_object()) property = Json::object();
        property["marker"] = order.marker;
        property["revision"] = order.story.record.revision;
        property["shows"] = digest;
        auto added = Json::array();
        for (const auto& label : {tenant_label(), order.marker}) {
            if (!has_label(*before, label)) added.push_back({{"add", label}});
        }
        Json wanted{{"fields", fields_of(order)}, {"properties", Json::array({{{"key", property_key}, {"value", property}}})}};
        if (!added.empty()) wanted["update"] = {{"labels", std::move(added)}};
        const auto written = client_.write("update", "PUT", path_of(id), wanted);
        if (!written) return written.error();
    }
    if (const auto linked = link(order, id); !linked) return linked.error();
    // What it was made with needs no note.
    if (order.is_news && text_at(property, "created") != revision) {
        if (const auto noted = note(order, id); !noted) return noted.error();
    }
    const auto word = word_of(connector_.statuses, order.story.record.status);
    const bool changed = order.told_status != engine::to_string(order.story.record.status);
    const bool told = !word.empty() && changed && !is_status(member(member(*before, "fields"), "status"), word);
    std::string warning;
    if (told) {
        auto brought = bring(id, word);
        if (!brought) return brought.error();
        warning = *std::move(brought);
    }
    return read_back(order, id, told, std::move(warning));
}

Remote<RemoteTicket> Jira::deliver(const TicketOrder& order) {
    if (!order.external_id.empty()) return update(order, order.external_id);
    auto found = find(order.marker);
    if (found && found->empty()) found = find_recent(order.marker);
    if (!found) return found.error();
    if (found->empty() && order.story.record.merged_into) return unneeded_ticket(order);
    if (found->empty()) return create(order);
    auto ticket = update(order, text_at(found->front(), "id"));
    if (ticket && found->size() > 1) ticket->warning = fmt::format("{} issues carry the mark of this incident; the oldest is its ticket", found->size());
    return ticket;
}

Remote<std::string> Jira::test() {
    link_types_.reset();
    const auto account = client_.ask("test", "/myself");
    if (!account) return of_no_ticket(account.error());
    const auto project = client_.ask("test", "/project/" + connector_.jira.project);
    if (!project) {
        if (project.error().kind != RemoteFault::Kind::gone) return project.error();
        return RemoteFault{RemoteFault::Kind::permanent, fmt::format("there is no project {} that this account may see", connector_.jira.project)};
    }
    const auto& types = member(*project, "issueTypes");
    if (!std::ranges::any_of(types, [&](const Json& type) { return text_at(type, "name") == connector_.jira.issue_type; }))
        return RemoteFault{RemoteFault::Kind::permanent, fmt::format("project {} has no issue type {}", connector_.jira.project, connector_.jira.issue_type)};
    const auto none = find(marker_prefix_ + "0");
    if (!none) return none.error();
    return fmt::format("signed in as {}; project {} is there", wire_.shown(text_at(*account, "displayName")), connector_.jira.project);
}

std::optional<engine::Result<HookNews>> Jira::parse_hook(const api::tickets::HookMessage& message, std::int64_t) const {
    return jira_hook(wire_.hook_secrets(), message);
}

Remote<RemoteTicket> Jira::look(const std::string& id) {
    const auto issue = read(id);
    if (!issue) return issue.error();
    return ticket_from(*issue, connector_.url);
}

}  // namespace catenary::server::tickets
