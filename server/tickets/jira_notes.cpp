#include "api/json/time_json.hpp"
#include "server/tickets/adf.hpp"
#include "server/tickets/jira.hpp"
#include "server/tickets/jira_issue.hpp"
#include "server/tickets/note_cursor.hpp"
#include "server/tickets/ticket_note.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

// What goes between incidents and issues of Jira besides their state: links, comments, and who did what.

namespace catenary::server::tickets {

using Json = nlohmann::json;
using namespace jira;

namespace {

constexpr std::size_t most_comments = 1'000;  // of an issue that are looked through
// Comments in one reply; fewer where so many are longer than a reply may be, since each may have 32,767 characters and more markup than text.
constexpr std::array<int, 3> comment_pages{50, 5, 1};
constexpr int log_page = 100;
constexpr int most_log_pages = 50;

std::string path_of(const std::string& id) { return "/issue/" + id; }

}  // namespace

Remote<std::string> Jira::account() {
    if (!account_.empty()) return account_;
    const auto account = client_.ask("read", "/myself");
    if (!account) return of_no_ticket(account.error());
    return account_ = text_at(*account, "accountId");
}

Remote<Jira::CommentPage> Jira::comments(const std::string& id, std::size_t from) {
    for (const auto most : comment_pages) {
        const auto found = client_.ask("read", fmt::format("{}/comment?orderBy=-created&startAt={}&maxResults={}", path_of(id), from, most));
        if (!found && client_.is_too_large() && most != comment_pages.back()) continue;
        if (!found) return found.error();
        CommentPage page;
        for (const auto& comment : member(*found, "comments")) page.comments.push_back(comment);
        page.is_last = page.comments.empty() || from + page.comments.size() >= static_cast<std::size_t>(number_from(text_at(*found, "total")));
        return page;
    }
    return CommentPage{};
}

Remote<Jira::Found> Jira::find_lines(const std::string& id, const std::set<std::string>& lines, std::size_t most) {
    Found found;
    for (std::size_t from = 0; from < most && !found.is_whole;) {
        const auto page = comments(id, from);
        if (!page) return page.error();
        for (const auto& comment : page->comments) {
            auto line = last_line(text_of_adf(member(comment, "body")));
            if (lines.contains(line)) found.lines.insert(std::move(line));
        }
        from += page->comments.size();
        found.is_whole = page->is_last || found.lines.size() == lines.size();
    }
    return found;
}

Remote<void> Jira::comment(const std::string& id, const OwnNote& note, const std::string& line) {
    const auto text = note_text(note, line, api::tickets::facts_of(connector_.kind).most_body);
    const auto written = client_.write("note", "POST", path_of(id) + "/comment", {{"body", adf_of(text)}});
    if (!written) return written.error();
    return {};
}

Remote<std::string> Jira::write_notes(const std::string& id, const std::string& marker, const std::vector<OwnNote>& notes) {
    std::set<std::string> lines;
    for (const auto& note : notes) lines.insert(note_line(marker, note));
    const auto before = find_lines(id, lines, most_comments);
    if (!before) return before.error();
    if (before->lines.size() == lines.size()) return std::string{};
    std::string why;
    if (before->is_whole) {
        for (const auto& note : notes) {
            const auto line = note_line(marker, note);
            if (before->lines.contains(line)) continue;
            if (const auto written = comment(id, note, line); !written) return written.error();
        }
        const auto after = find_lines(id, lines, most_comments);
        if (!after) return after.error();
        if (after->lines.size() == lines.size()) return std::string{};
        why = "Jira did not take a comment: may this account write and see some?";
    } else {
        why = fmt::format("the issue has more than {} comments: whether one of ours is there cannot be seen, and it was not written", most_comments);
    }
    wire_.blame(why);
    return why;
}

Remote<std::vector<RemoteNote>> Jira::notes_since(const std::string& id, const std::string& after) {
    const auto us = account();
    if (!us) return us.error();
    const NoteCursor cursor{after};
    std::vector<TimedNote> notes;
    bool is_whole = false;
    for (std::size_t from = 0; from < most_comments && !is_whole;) {
        const auto page = comments(id, from);
        if (!page) return page.error();
        from += page->comments.size();
        is_whole = page->is_last;
        for (const auto& comment : page->comments) {
            const auto& author = member(comment, "author");
            const auto time = api::json::parse_time(utc_of(text_at(comment, "created")));
            if (!time) continue;
            TimedNote note{{text_at(comment, "id"), text_at(author, "displayName"), text_of_adf(member(comment, "body")), false}, *time};
            if (note.time < cursor.from()) {
                is_whole = true;
                break;
            }
            // What only a role or a group may see stays there.
            if (note.note.id.empty() || note.note.text.empty() || member(comment, "visibility").is_object()) continue;
            note.note.is_ours = (!us->empty() && text_at(author, "accountId") == *us) || last_line(note.note.text).starts_with(line_begin(marker_prefix_));
            notes.push_back(std::move(note));
        }
    }
    return cursor.rest_of(std::move(notes));
}

Remote<std::set<std::string>> Jira::linked(const std::string& id) {
    const auto issue = client_.ask("read", path_of(id) + "?fields=issuelinks");
    if (!issue) return issue.error();
    std::set<std::string> ids;
    for (const auto& link : member(member(*issue, "fields"), "issuelinks")) {
        for (const auto* side : {"inwardIssue", "outwardIssue"}) ids.insert(text_at(member(link, side), "id"));
    }
    return ids;
}

Remote<Jira::LinkTypes> Jira::link_types() {
    if (link_types_) return *link_types_;
    const auto found = client_.ask("read", "/issueLinkType");
    if (!found) return found.error();
    const auto& types = member(*found, "issueLinkTypes");
    const auto first_of = [&](std::initializer_list<const char*> names) {
        for (const auto* name : names) {
            for (const auto& type : types) {
                if (same(text_at(type, "name"), name)) return text_at(type, "name");
            }
        }
        return types.is_array() && !types.empty() ? text_at(types.front(), "name") : std::string{};
    };
    return *(link_types_ = LinkTypes{first_of({"Duplicate", "Relates"}), first_of({"Relates"})});
}

Remote<std::string> Jira::relate(const std::string& id, const std::string&, const std::vector<Related>& others) {
    using Tie = api::tickets::Kin::Tie;
    const auto before = linked(id);
    if (!before) return before.error();
    if (std::ranges::all_of(others, [&](const Related& other) { return before->contains(other.id); })) return std::string{};
    std::string refused, strange;
    const auto types = link_types();
    if (!types && !is_refusal(types.error())) return types.error();
    if (!types) refused = types.error().words;
    for (const auto& other : others) {
        if (before->contains(other.id) || !types) continue;
        const bool is_merge = other.tie == Tie::goes_on_in || other.tie == Tie::took_in;
        const auto& type = is_merge ? types->merge : types->split;
        if (type.empty()) {
            refused = "it has no type of links";
            break;
        }
        if (!same(type, "Relates") && !(is_merge && same(type, "Duplicate"))) strange = type;
        // "The inward issue duplicates the outward one": what was merged, or split off, comes first.
        const bool comes_first = other.tie == Tie::goes_on_in || other.tie == Tie::came_from;
        const auto ours = Json::object({{"id", id}});
        const auto theirs = Json::object({{"id", other.id}});
        const auto made =
            client_.write("relate", "POST", "/issueLink",
                          {{"type", {{"name", type}}}, {"inwardIssue", comes_first ? ours : theirs}, {"outwardIssue", comes_first ? theirs : ours}});
        if (made) continue;
        if (!is_refusal(made.error())) return made.error();
        refused = made.error().words;
    }
    const auto after = linked(id);
    if (!after) return after.error();
    std::string missing;
    for (const auto& other : others) {
        if (!after->contains(other.id)) missing += fmt::format("{}{}", missing.empty() ? "" : ", ", other.id);
    }
    std::string why;
    if (!missing.empty()) why = fmt::format("Jira did not take the link to {}{}", missing, refused.empty() ? "" : ": " + refused);
    else if (!strange.empty()) why = fmt::format("Jira has no link type Duplicate or Relates: the issues are linked by {}", strange);
    if (!missing.empty()) wire_.blame(why);
    return why;
}

Remote<bool> Jira::set_by_us(const RemoteTicket& ticket) {
    const auto us = account();
    if (!us) return us.error();
    auto setter = *us;  // nobody has changed the state that it was made with
    std::string next;
    for (int page = 0; page < most_log_pages; ++page) {
        Json question{{"issueIdsOrKeys", {ticket.id}}, {"fieldIds", {"status"}}, {"maxResults", log_page}};
        if (!next.empty()) question["nextPageToken"] = next;
        const auto found = client_.ask("read", "/changelog/bulkfetch", question);
        if (!found) return of_no_ticket(found.error());
        for (const auto& log : member(*found, "issueChangeLogs")) {
            for (const auto& change : member(log, "changeHistories")) setter = text_at(member(change, "author"), "accountId");  // the oldest first
        }
        next = text_at(*found, "nextPageToken");
        if (next.empty()) break;
    }
    return !us->empty() && setter == *us;
}

}  // namespace catenary::server::tickets
