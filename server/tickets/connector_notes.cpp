#include "server/tickets/connector_worker.hpp"
#include "server/tickets/json_reading.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

// What goes between incidents and tickets besides their state: ties to other tickets, comments and notes.

namespace catenary::server::tickets {
namespace {

constexpr std::size_t most_comments = 50;         ///< that TicketQueue::comments gives at once
constexpr std::size_t most_comment_bytes = 8192;  ///< as for comments by request
constexpr std::size_t most_author_bytes = 64;
constexpr int most_unread = 3;  ///< looks, then the ticket's notes wait for its next change
constexpr std::size_t most_remembered = 1'000;

}  // namespace

Remote<std::string> ConnectorWorker::complete(const TicketOrder& order, const std::string& id, const pg::TicketJob& job, pg::TicketResult& result) {
    using Tie = api::tickets::Kin::Tie;
    std::vector<Related> others;
    std::vector<OwnNote> notes;
    for (const auto& kin : order.story.kin) {
        if (!kin.ticket.empty() && kin.ticket != id) others.push_back({kin.ticket, kin.tie});
        if (kin.tie == Tie::goes_on_in) continue;  // the change itself says so
        notes.push_back({fmt::format("{}-{}", api::tickets::tie_words[static_cast<std::size_t>(kin.tie)], kin.incident.value()), kin_line(kin)});
    }
    if (served_->connector.comments) {
        const auto comments = queue_.comments(job.incident, job.told_comment);
        if (!comments) return RemoteFault{RemoteFault::Kind::later, "the incident's comments cannot be read: " + comments.error().detail};
        for (const auto& comment : *comments) {
            result.told_comment = comment.position;
            if (is_own_comment(comment.actor)) continue;
            notes.push_back(
                {fmt::format("comment-{}", comment.position), fmt::format("{} commented on incident {}:\n\n{}", api::tickets::plain_lines(comment.actor),
                                                                          job.incident.value(), api::tickets::plain_lines(comment.text))});
        }
        result.has_more = comments->size() >= most_comments;
    }
    std::string not_taken;
    if (!others.empty()) {
        auto related = system_->relate(id, order.marker, others);
        if (!related) return related;
        not_taken = *std::move(related);
    }
    if (!notes.empty()) {
        auto written = system_->write_notes(id, order.marker, notes);
        if (!written) return written;
        if (not_taken.empty()) not_taken = *std::move(written);
    }
    return not_taken;
}

bool ConnectorWorker::is_own_comment(const std::string& actor) const { return actor == caller().key_id || actor.starts_with(name_ + ":"); }

std::string ConnectorWorker::comment_text(const RemoteNote& note) {
    constexpr std::string_view mark = "\n\u2026 (cut; the ticket has the rest)";
    auto text = wire_->shown(note.text);
    if (text.size() <= most_comment_bytes) return text;
    ++counts_.notes_cut;
    return shortened(std::move(text), most_comment_bytes - mark.size()) + std::string{mark};
}

bool ConnectorWorker::take_notes(std::int64_t epoch, const std::string& id) {
    const auto known = queue_.find(id);
    if (!known) return false;
    if (!*known) return true;  // nobody's
    auto ticket = **known;
    const auto notes = system_->notes_since(id, ticket.seen_note);
    if (!notes) {
        if (notes.error().kind == RemoteFault::Kind::gone) return true;
        if (unread_.size() >= most_remembered) unread_.clear();
        auto& unread = unread_[id];
        if (unread >= most_unread) return true;  // forbidden, and told
        // What this account may not read now it may not the next time.
        const bool is_forbidden = notes.error().kind == RemoteFault::Kind::unauthorised;
        if (!is_forbidden && ++unread < most_unread) return false;
        // What cannot be read (it is too long, or this account may not) must not hold up the other tickets.
        ++counts_.notes_left;
        spdlog::warn("event=notes_left tenant={} connector={} ticket={} reason=\"{}\"", tenant_.value(), name_, id, wire_->shown(notes.error().words));
        if (is_forbidden) unread = most_unread;
        else unread_.erase(id);
        return true;
    }
    unread_.erase(id);
    for (const auto& note : *notes) {
        std::optional<engine::IncidentComment> comment;
        if (!note.is_ours) {
            auto author = shortened(wire_->shown(note.author), most_author_bytes);
            std::ranges::replace_if(
                author, [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
            comment = engine::IncidentComment{ticket.incident, comment_text(note), fmt::format("{}:{}", name_, author.empty() ? "somebody" : author)};
        }
        if (!queue_.take_note(epoch, ticket, note.id, comment)) return false;
        if (comment) ++counts_.notes_taken;
        ticket.seen_note = note.id;
    }
    return true;
}

}  // namespace catenary::server::tickets
