#include "server/tickets/hooks.hpp"
#include "server/tickets/json_client.hpp"
#include "server/tickets/redmine.hpp"
#include "server/tickets/ticket_note.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>

// What an issue has besides its own text (relations to other issues, notes), and what tells that it changed.

namespace catenary::server::tickets {

using Json = nlohmann::json;

namespace {

/// The ids of all issues that this one has a relation to, of whatever type: Redmine takes one between two issues.
std::set<std::string> related_issues(const Json& issue) {
    std::set<std::string> ids;
    for (const auto& relation : member(issue, "relations")) {
        ids.insert(text_at(relation, "issue_id"));
        ids.insert(text_at(relation, "issue_to_id"));
    }
    return ids;
}

bool has_note(const Json& issue, const std::string& mark) {
    return std::ranges::any_of(member(issue, "journals"), [&](const Json& journal) { return last_line(text_at(journal, "notes")) == mark; });
}

}  // namespace

Remote<Json> Redmine::read_with(const std::string& id, std::string_view what) {
    const auto found = ask("read", fmt::format("/issues/{}.json?include={}", id, what));
    if (!found) return found.error();
    const auto& issue = member(*found, "issue");
    if (text_at(issue, "id") == id) return issue;
    return RemoteFault{RemoteFault::Kind::later, "its reply is not the issue that was asked for"};
}

Remote<std::string> Redmine::relate(const std::string& id, const std::string&, const std::vector<Related>& others) {
    const auto before = read_with(id, "relations");
    if (!before) return before.error();
    const auto known = related_issues(*before);
    bool has_asked = false;
    std::string refused;
    for (const auto& other : others) {
        if (known.contains(other.id)) continue;
        has_asked = true;
        const auto made =
            write("relate", "POST", fmt::format("/issues/{}/relations.json", id), {{"relation", {{"issue_to_id", other.id}, {"relation_type", "relates"}}}});
        if (made) continue;
        // An account that may not do this may do all else, and an issue that was deleted has no relations: the ticket itself is as it should be.
        const auto kind = made.error().kind;
        if (kind != RemoteFault::Kind::permanent && kind != RemoteFault::Kind::unauthorised) return made.error();
        refused = made.error().words;
    }
    if (!has_asked) return std::string{};
    const auto after = read_with(id, "relations");
    if (!after) return after.error();
    const auto there = related_issues(*after);
    std::string missing;
    for (const auto& other : others) {
        if (!there.contains(other.id)) missing += fmt::format("{}#{}", missing.empty() ? "" : ", ", other.id);
    }
    if (missing.empty()) return std::string{};
    auto why = fmt::format("Redmine did not take the relation to {}{}", missing, refused.empty() ? "" : ": " + refused);
    wire_.blame(why);
    return why;
}

Remote<std::string> Redmine::write_notes(const std::string& id, const std::string& marker, const std::vector<OwnNote>& notes) {
    const auto before = read_with(id, "journals");
    if (!before) return before.error();
    bool has_written = false;
    for (const auto& note : notes) {
        const auto mark = note_line(marker, note);
        if (has_note(*before, mark)) continue;
        has_written = true;
        const auto written = write("note", "PUT", fmt::format("/issues/{}.json", id),
                                   {{"issue", {{"notes", note_text(note, mark, api::tickets::facts_of(connector_.kind).most_body)}}}});
        if (!written) return written.error();
    }
    if (!has_written) return std::string{};
    const auto after = read_with(id, "journals");
    if (!after) return after.error();
    for (const auto& note : notes) {
        if (has_note(*after, note_line(marker, note))) continue;
        std::string why = "Redmine did not take a note: may this account write some?";
        wire_.blame(why);
        return why;
    }
    return std::string{};
}

Remote<std::vector<RemoteNote>> Redmine::notes_since(const std::string& id, const std::string& after) {
    const auto us = our_account();
    if (!us) return us.error();
    const auto issue = read_with(id, "journals");
    if (!issue) return issue.error();
    const auto seen = number_from(after);
    std::vector<RemoteNote> notes;
    for (const auto& journal : member(*issue, "journals")) {
        RemoteNote note{text_at(journal, "id"), text_at(member(journal, "user"), "name"), text_at(journal, "notes"), false};
        if (number_from(note.id) <= seen || note.text.empty() || member(journal, "private_notes") == true) continue;
        note.is_ours = text_at(member(journal, "user"), "id") == *us || last_line(note.text).starts_with(line_begin(marker_prefix_));
        notes.push_back(std::move(note));
    }
    std::ranges::sort(notes, {}, [](const RemoteNote& note) { return number_from(note.id); });
    return notes;
}

Remote<std::string> Redmine::our_account() {
    if (account_.empty()) {
        const auto account = ask("read", "/users/current.json");
        if (!account) return account.error();
        account_ = text_at(member(*account, "user"), "id");
    }
    return account_;
}

std::optional<engine::Result<HookNews>> Redmine::parse_hook(const api::tickets::HookMessage& message, std::int64_t now) const {
    return standard_hook(wire_.hook_secrets(), message, now, false);
}

Remote<RemoteTicket> Redmine::look(const std::string& id) {
    const auto issue = read(id);
    if (!issue) return issue.error();
    return ticket_from(*issue);
}

}  // namespace catenary::server::tickets
