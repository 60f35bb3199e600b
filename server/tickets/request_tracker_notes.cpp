#include "server/tickets/html_text.hpp"
#include "server/tickets/json_client.hpp"
#include "server/tickets/request_tracker.hpp"
#include "server/tickets/ticket_note.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

// What a ticket has besides its own text: links to other tickets, and notes.

namespace catenary::server::tickets {

using Json = nlohmann::json;

namespace {

constexpr std::size_t most_pages = 20;  // of a history
constexpr std::size_t most_notes = 50;  ///< of people at once: each is a question of its own, and the rest is read with the next poll
constexpr int most_parts = 20;

/// The ids of all tickets that this one refers to or is referred to by.
std::set<std::string> referred(const Json& ticket) {
    std::set<std::string> ids;
    for (const auto& link : member(ticket, "_hyperlinks")) {
        const auto ref = text_at(link, "ref");
        if (text_at(link, "type") == "ticket" && (ref == "refers-to" || ref == "referred-to-by")) ids.insert(text_at(link, "id"));
    }
    return ids;
}

bool is_note(const Json& transaction) {
    const auto type = text_at(transaction, "Type");
    return type == "Comment" || type == "Correspond";
}

std::string first_words(const Json& answer) {
    const bool has_words = answer.is_array() && !answer.empty() && answer.front().is_string();
    return has_words ? ": " + shortened(answer.front().get<std::string>(), 200) : "";
}

}  // namespace

Remote<std::string> RequestTracker::relate(const std::string& id, const std::string&, const std::vector<Related>& others) {
    const auto before = read(id);
    if (!before) return before.error();
    const auto known = referred(*before);
    auto wanted = Json::array();
    for (const auto& other : others) {
        if (!known.contains(other.id)) wanted.push_back(other.id);
    }
    if (wanted.empty()) return std::string{};
    const auto made = client_.write("relate", "PUT", "/ticket/" + id, {{"AddRefersTo", wanted}});
    std::string refused;
    if (made) {
        refused = first_words(*made);
    } else {
        // An account that may not do this may do all else, and a ticket that was deleted has no links: the ticket itself is as it should be.
        const auto kind = made.error().kind;
        if (kind != RemoteFault::Kind::permanent && kind != RemoteFault::Kind::unauthorised) return made.error();
        refused = ": " + made.error().words;
    }
    const auto after = read(id);
    if (!after) return after.error();
    const auto there = referred(*after);
    std::string missing;
    for (const auto& other : others) {
        if (!there.contains(other.id)) missing += fmt::format("{}#{}", missing.empty() ? "" : ", ", other.id);
    }
    if (missing.empty()) return std::string{};
    auto why = fmt::format("Request Tracker did not take the link to {}{}", missing, refused);
    wire_.blame(why);
    return why;
}

Remote<RequestTracker::Found> RequestTracker::find_notes(const std::string& id, const std::set<std::string>& subjects) {
    Found found;
    for (std::size_t page = 1; page <= most_pages; ++page) {
        const auto transactions = history(id, page);
        if (!transactions) return transactions.error();
        for (const auto& transaction : *transactions) {
            auto subject = subject_of(transaction);
            if (is_note(transaction) && subjects.contains(subject)) found.subjects.insert(std::move(subject));
        }
        found.is_whole = transactions->size() < history_page || found.subjects.size() == subjects.size();
        if (found.is_whole) break;
    }
    return found;
}

Remote<std::string> RequestTracker::write_notes(const std::string& id, const std::string& marker, const std::vector<OwnNote>& notes) {
    std::set<std::string> subjects;
    for (const auto& note : notes) subjects.insert(note_line(marker, note));
    const auto before = find_notes(id, subjects);
    if (!before) return before.error();
    if (before->subjects.size() == subjects.size()) return std::string{};
    std::string why;
    if (before->is_whole) {
        for (const auto& note : notes) {
            const auto subject = note_line(marker, note);
            if (before->subjects.contains(subject)) continue;
            const auto written = client_.write("note", "POST", "/ticket/" + id + (replies() ? "/correspond" : "/comment"),
                                               {{"Subject", subject}, {"Content", note.text}, {"ContentType", "text/plain"}});
            if (!written) return written.error();
        }
        if (replies()) {
            const auto ticket = read(id);
            if (!ticket) return ticket.error();
            const auto put_back = put_back_state(*ticket, client_.etag());
            if (!put_back) return put_back.error();
        }
        const auto after = find_notes(id, subjects);
        if (!after) return after.error();
        if (after->subjects.size() == subjects.size()) return std::string{};
        why = "Request Tracker did not take a note: may this account write and see some?";
    } else {
        why =
            fmt::format("the ticket has more than {} entries: whether it has a note already cannot be seen, and it was not written", most_pages * history_page);
    }
    wire_.blame(why);
    return why;
}

Remote<std::string> RequestTracker::words_in(const std::string& transaction) {
    const auto found =
        client_.ask("read", fmt::format("/transaction/{}/attachments?fields=Content,ContentType&orderby=id&order=ASC&per_page={}", transaction, most_parts));
    if (!found) return found.error();
    std::string html;
    for (const auto& part : member(*found, "items")) {
        const auto type = text_at(part, "ContentType");
        auto content = text_at(part, "Content");
        if (content.empty()) continue;
        if (type == "text/plain") return content;
        if (type == "text/html" && html.empty()) html = std::move(content);
    }
    return text_of_html(html);
}

Remote<std::vector<RemoteNote>> RequestTracker::notes_since(const std::string& id, const std::string& after) {
    const auto us = account(id);
    if (!us) return us.error();
    const auto seen = number_from(after);
    std::vector<RemoteNote> notes;
    bool is_whole = false;
    for (std::size_t page = 1; page <= most_pages && !is_whole; ++page) {
        const auto transactions = history(id, page);
        if (!transactions) return transactions.error();
        is_whole = transactions->size() < history_page;
        for (const auto& transaction : *transactions) {
            RemoteNote note{text_at(transaction, "id"), text_at(member(transaction, "Creator"), "id"), "", false};
            if (number_from(note.id) <= seen) {
                is_whole = true;
                break;
            }
            if (!is_note(transaction)) continue;
            note.is_ours = (!us->empty() && note.author == *us) || is_own_note(transaction);
            notes.push_back(std::move(note));
        }
    }
    std::ranges::sort(notes, {}, [](const RemoteNote& note) { return number_from(note.id); });
    // What came while the pages were read has moved some of it from one to the next.
    const auto doubles = std::ranges::unique(notes, {}, &RemoteNote::id);
    notes.erase(doubles.begin(), doubles.end());
    std::vector<RemoteNote> told;
    std::size_t read = 0;
    for (auto& note : notes) {
        if (!note.is_ours) {
            if (read++ == most_notes) break;
            auto words = words_in(note.id);
            if (!words) return words.error();
            if (words->empty()) continue;
            note.text = *std::move(words);
        }
        told.push_back(std::move(note));
    }
    return told;
}

}  // namespace catenary::server::tickets
