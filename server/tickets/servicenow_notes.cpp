#include "api/http/target.hpp"
#include "api/json/time_json.hpp"
#include "server/tickets/html_text.hpp"
#include "server/tickets/note_cursor.hpp"
#include "server/tickets/servicenow.hpp"
#include "server/tickets/ticket_note.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

// What goes between incidents and records of ServiceNow besides their state: parents, and notes in the journals.

namespace catenary::server::tickets {

using api::http::percent_encoded;
using Json = nlohmann::json;

namespace {

constexpr std::array<std::size_t, 3> journal_pages{50, 5, 1};
constexpr std::size_t most_entries = 1'000;  // of a record's journals that are looked through
constexpr std::size_t most_ids = 50;         // in one question
constexpr std::size_t most_unseen = 1'000;

/// What somebody wrote: what stands between [code] and [/code] is HTML there.
std::string words_of(const std::string& value) {
    constexpr std::string_view begin = "[code]", end = "[/code]";
    std::string words;
    for (std::size_t at = 0; at < value.size();) {
        const auto code = value.find(begin, at);
        words += value.substr(at, code == std::string::npos ? code : code - at);
        if (code == std::string::npos) break;
        const auto close = std::min(value.find(end, code), value.size());
        words += text_of_html(std::string_view{value}.substr(code + begin.size(), close - code - std::min(begin.size(), close - code)));
        at = std::min(close + end.size(), value.size());
    }
    std::erase(words, '\r');
    return words;
}

/// What a note says of a tie that no field holds.
std::string tie_note(api::tickets::Kin::Tie tie, const std::string& number) {
    using Tie = api::tickets::Kin::Tie;
    switch (tie) {
        case Tie::goes_on_in: return fmt::format("This ticket goes on in {}.", number);
        case Tie::took_in: return fmt::format("What {} is about goes on in this ticket.", number);
        case Tie::gave_to: return fmt::format("What was split off this ticket is in {}.", number);
        case Tie::came_from: return fmt::format("This ticket was split off {}.", number);
    }
    return "";
}

}  // namespace

Remote<std::vector<Json>> ServiceNow::journal(std::string_view action, const std::string& query, std::size_t most, std::size_t offset) {
    const auto found = client_.ask(action, fmt::format("sys_journal_field?sysparm_display_value=false&sysparm_fields=sys_id,element_id,value,sys_created_on,"
                                                       "sys_created_by&sysparm_limit={}&sysparm_offset={}&sysparm_query={}",
                                                       most, offset, percent_encoded(query)));
    if (!found) return of_no_ticket(found.error());
    const auto& entries = member(*found, "result");
    if (!entries.is_array()) return RemoteFault{RemoteFault::Kind::later, "its reply is no list of journal entries"};
    return std::vector<Json>{entries.begin(), entries.end()};
}

template <class Take>
Remote<void> ServiceNow::read_journal(const std::string& id, const std::string& query, Take take) {
    // Without the table's name, by which instances call the journal of a record differently: an id is unlike all others.
    const auto all = fmt::format("element_id={}^elementINwork_notes,comments{}^ORDERBYDESCsys_created_on", id, query);
    std::size_t size = 0;  // of a page, among journal_pages
    for (std::size_t read = 0; read < most_entries;) {
        const auto entries = journal("read", all, journal_pages.at(size), read);
        if (!entries && client_.is_too_large() && size + 1 < journal_pages.size()) {
            ++size;
            continue;
        }
        if (!entries) return entries.error();
        for (const auto& entry : *entries) {
            // A condition on a column that there is not is ignored.
            if (text_at(entry, "element_id") == id && !take(entry)) return {};
        }
        read += entries->size();
        if (entries->size() < journal_pages.at(size)) return {};
    }
    return {};
}

Remote<ServiceNow::Found> ServiceNow::find_shown(const std::string& id, const std::set<std::string>& lines) {
    const auto shown =
        client_.ask("read", fmt::format("{}/{}?sysparm_display_value=true&sysparm_fields=sys_id,work_notes,comments", connector_.servicenow.table, id));
    if (!shown) {
        if (client_.is_too_large()) return Found{};
        return shown.error();
    }
    Found found;
    for (const auto* field : {"work_notes", "comments"}) {
        const auto& text = member(member(*shown, "result"), field);
        if (!text.is_string()) continue;  // a field that may not be read is left out
        found.is_seen = true;
        auto rest = std::string_view{text.get_ref<const std::string&>()};
        while (!rest.empty()) {
            const auto end = std::min(rest.find('\n'), rest.size());
            auto line = last_line(std::string{rest.substr(0, end)});
            if (lines.contains(line)) found.lines.insert(std::move(line));
            rest.remove_prefix(std::min(end + 1, rest.size()));
        }
    }
    return found;
}

Remote<ServiceNow::Found> ServiceNow::find_lines(const std::string& id, const std::string& marker, const std::set<std::string>& lines) {
    Found found;
    const auto read = read_journal(id, fmt::format("^valueLIKE{}", line_begin(marker)), [&](const Json& entry) {
        found.is_seen = true;
        auto line = last_line(text_at(entry, "value"));
        if (lines.contains(line)) found.lines.insert(std::move(line));
        return found.lines.size() < lines.size();
    });
    if (!read && !is_refusal(read.error())) return read.error();
    if (found.is_seen) return found;
    // Nothing of ours is in it, or it is empty to accounts that may not read it. What a record shows of its notes may be long: it is the last thing to ask for.
    const auto any = read ? journal("read", fmt::format("element_id={}^elementINwork_notes,comments", id), 1, 0) : Remote<std::vector<Json>>{read.error()};
    if (!any && !is_refusal(any.error())) return any.error();
    if (any && !any->empty() && text_at(any->front(), "element_id") == id) {
        found.is_seen = true;
        return found;
    }
    return find_shown(id, lines);
}

Remote<std::string> ServiceNow::write_notes(const std::string& id, const std::string& marker, const std::vector<OwnNote>& notes) {
    std::set<std::string> lines;
    for (const auto& note : notes) lines.insert(note_line(marker, note));
    const auto before = find_lines(id, marker, lines);
    if (!before) return before.error();
    if (before->lines.size() == lines.size()) return std::string{};
    std::string why;
    if (before->is_seen) {
        for (const auto& note : notes) {
            const auto line = note_line(marker, note);
            if (before->lines.contains(line) || unseen_.contains(line)) continue;
            const auto written = write("note", "PATCH", id, {{notes_field(), note_text(note, line, api::tickets::facts_of(connector_.kind).most_body)}});
            if (!written) return written.error();
        }
        const auto after = find_lines(id, marker, lines);
        if (!after) return after.error();
        if (after->lines.size() == lines.size()) return std::string{};
        if (unseen_.size() >= most_unseen) unseen_.clear();
        for (const auto& line : lines) {
            if (!after->lines.contains(line)) unseen_.insert(line);
        }
        why = fmt::format("ServiceNow did not take a note: may this account write and read {}?", notes_field());
    } else {
        why = fmt::format("whether the record has a note already cannot be seen, and it was not written: may this account read {}?", notes_field());
    }
    wire_.blame(why);
    return why;
}

Remote<std::vector<RemoteNote>> ServiceNow::notes_since(const std::string& id, const std::string& after) {
    const NoteCursor cursor{after};
    std::vector<TimedNote> notes;
    const auto read = read_journal(id, "", [&](const Json& entry) {
        const auto time = api::json::parse_time(time_of(entry, "sys_created_on"));
        if (!time) return true;
        TimedNote note{{text_at(entry, "sys_id"), text_at(entry, "sys_created_by"), words_of(text_at(entry, "value")), false}, *time};
        if (note.time < cursor.from()) return false;
        note.note.is_ours = note.note.author == connector_.servicenow.account || last_line(note.note.text).starts_with(line_begin(marker_prefix_));
        if (!note.note.id.empty() && !note.note.text.empty()) notes.push_back(std::move(note));
        return true;
    });
    if (!read) return read.error();
    return cursor.rest_of(std::move(notes));
}

Remote<std::map<std::string, Json>> ServiceNow::read_all(const std::vector<std::string>& ids) {
    std::map<std::string, Json> records;
    for (std::size_t from = 0; from < ids.size(); from += most_ids) {
        std::string list;
        for (auto i = from; i < std::min(ids.size(), from + most_ids); ++i) list += (list.empty() ? "" : ",") + ids[i];
        const auto found = this->list("read", "sys_idIN" + list, most_ids);
        if (!found) return found.error();
        for (const auto& record : *found) records.emplace(text_at(record, "sys_id"), record);
    }
    return records;
}

Remote<std::string> ServiceNow::bring_under(const Json& child, const Json& parent) {
    const auto id = text_at(child, "sys_id");
    const auto wanted = text_at(parent, "sys_id");
    const auto present = text_at(child, "parent_incident");
    if (present == wanted) return std::string{};
    if (!present.empty()) {
        const auto other = read(present);
        if (!other && other.error().kind != RemoteFault::Kind::gone) return other.error();
        // A parent that people gave it stays; one of ours is from before that one was merged itself.
        if (other && !text_at(*other, "correlation_id").starts_with(marker_prefix_))
            return fmt::format("{} has the parent {} already", text_at(child, "number"), text_at(*other, "number"));
    }
    const auto written = write("relate", "PATCH", id, {{"parent_incident", wanted}});
    if (!written && !is_refusal(written.error())) return written.error();
    if (!written)
        return fmt::format("ServiceNow did not take {} as the parent of {}: {}", text_at(parent, "number"), text_at(child, "number"), written.error().words);
    const auto after = read(id);
    if (!after) return after.error();
    if (text_at(*after, "parent_incident") == wanted) return std::string{};
    auto why = fmt::format("ServiceNow did not take {} as the parent of {}", text_at(parent, "number"), text_at(child, "number"));
    wire_.blame(why);
    return why;
}

/// What was merged becomes a child of what goes on. What was split is another matter: a parent would close its children. There, and where a parent is not
/// taken, a note names the other's number.
Remote<std::string> ServiceNow::relate(const std::string& id, const std::string& marker, const std::vector<Related>& others) {
    using Tie = api::tickets::Kin::Tie;
    std::vector<std::string> ids{id};
    for (const auto& other : others) ids.push_back(other.id);
    const auto records = read_all(ids);
    if (!records) return records.error();
    const auto ours = records->find(id);
    if (ours == records->end()) return RemoteFault{RemoteFault::Kind::later, "its reply is not the record that was asked for"};
    std::vector<OwnNote> notes;
    std::string why;
    for (const auto& other : others) {
        const auto theirs = records->find(other.id);
        if (theirs == records->end()) continue;  // it was deleted
        const bool is_merge = other.tie == Tie::goes_on_in || other.tie == Tie::took_in;
        std::string missing;
        if (is_merge && connector_.servicenow.table == "incident") {
            const bool is_child = other.tie == Tie::goes_on_in;
            auto brought = bring_under(is_child ? ours->second : theirs->second, is_child ? theirs->second : ours->second);
            if (!brought) return brought;
            if (brought->empty()) continue;
            missing = *std::move(brought);
        }
        notes.push_back({fmt::format("{}-{}", api::tickets::tie_words[static_cast<std::size_t>(other.tie)], other.id),
                         tie_note(other.tie, text_at(theirs->second, "number"))});
        if (!missing.empty()) why = std::move(missing);
    }
    if (notes.empty()) return why;
    auto written = write_notes(id, marker, notes);
    if (!written || !written->empty()) return written;
    return why.empty() ? why : why + "; a note names it";
}

}  // namespace catenary::server::tickets
