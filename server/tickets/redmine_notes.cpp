#include "server/tickets/json_reading.hpp"
#include "server/tickets/redmine.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <set>

// What an issue has besides its own text: relations to other issues, and notes.

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

/// The last line of a note of ours.
std::string note_mark(const std::string& marker, const OwnNote& note) { return fmt::format("Catenary {} note {}", marker, note.key); }

bool has_note(const Json& issue, const std::string& mark) {
    for (const auto& journal : member(issue, "journals")) {
        std::string_view text = member(journal, "notes").is_string() ? member(journal, "notes").get_ref<const std::string&>() : std::string_view{};
        while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.remove_suffix(1);
        if (text.ends_with(mark)) return true;
    }
    return false;
}

}  // namespace

Remote<Json> Redmine::read_with(const std::string& id, std::string_view what) {
    const auto found = ask("read", fmt::format("/issues/{}.json?include={}", id, what));
    if (!found) return found.error();
    const auto& issue = member(*found, "issue");
    if (text_at(issue, "id") == id) return issue;
    return RemoteFault{RemoteFault::Kind::later, "its reply is not the issue that was asked for"};
}

Remote<std::string> Redmine::relate(const std::string& id, const std::vector<std::string>& others) {
    const auto before = read_with(id, "relations");
    if (!before) return before.error();
    const auto known = related_issues(*before);
    bool has_asked = false;
    std::string refused;
    for (const auto& other : others) {
        if (known.contains(other)) continue;
        has_asked = true;
        const auto made =
            write("relate", "POST", fmt::format("/issues/{}/relations.json", id), {{"relation", {{"issue_to_id", other}, {"relation_type", "relates"}}}});
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
        if (!there.contains(other)) missing += fmt::format("{}#{}", missing.empty() ? "" : ", ", other);
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
        const auto mark = note_mark(marker, note);
        if (has_note(*before, mark)) continue;
        has_written = true;
        const auto written = write("note", "PUT", fmt::format("/issues/{}.json", id), {{"issue", {{"notes", note.text + "\n\n" + mark}}}});
        if (!written) return written.error();
    }
    if (!has_written) return std::string{};
    const auto after = read_with(id, "journals");
    if (!after) return after.error();
    for (const auto& note : notes) {
        if (has_note(*after, note_mark(marker, note))) continue;
        std::string why = "Redmine did not take a note: may this account write some?";
        wire_.blame(why);
        return why;
    }
    return std::string{};
}

}  // namespace catenary::server::tickets
