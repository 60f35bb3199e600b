#pragma once

#include "server/tickets/json_client.hpp"
#include "server/tickets/ticket_system.hpp"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace catenary::server::tickets {

/// Request Tracker by its REST 2.0 (tested with 5.0.3). It takes the same ticket twice, drops a custom field that it does not know and answers 200 to a state
/// that it refuses; so a ticket is looked for by our marker in a custom field before it is made, none is made while the queue has no such field, and
/// everything is read back. What a ticket was made with cannot be changed: changes are told in notes, which say in their subjects which revision they tell of.
class RequestTracker final : public TicketSystem {
public:
    RequestTracker(const api::tickets::Connector& connector, Wire& wire, std::string marker_prefix);

    Remote<std::string> test() override;
    Remote<RemoteTicket> deliver(const TicketOrder& order) override;
    Remote<std::vector<RemoteTicket>> changes_since(const std::string& seen) override;
    Remote<std::string> relate(const std::string& id, const std::string& marker, const std::vector<Related>& others) override;
    Remote<std::string> write_notes(const std::string& id, const std::string& marker, const std::vector<OwnNote>& notes) override;
    Remote<std::vector<RemoteNote>> notes_since(const std::string& id, const std::string& after) override;
    Remote<bool> set_by_us(const RemoteTicket& ticket) override;
    /// A scrip there may send one, by the Standard Webhooks specification.
    std::optional<engine::Result<HookNews>> parse_hook(const api::tickets::HookMessage& message, std::int64_t now) const override;
    Remote<RemoteTicket> look(const std::string& id) override;

private:
    /// That the queue has the field which holds our markers. Asked once, until it has.
    Remote<void> check_field();
    /// Ids of tickets that carry the marker, the oldest first.
    Remote<std::vector<std::string>> find(const std::string& marker);
    Remote<nlohmann::json> read(const std::string& id);
    Remote<RemoteTicket> create(const TicketOrder& order);
    Remote<RemoteTicket> update(const TicketOrder& order, const std::string& id);
    struct Change {
        nlohmann::json before;  ///< the ticket
        bool is_changed = false;
    };
    /// Brings subject, priority and state up to date under the ticket's ETag.
    Remote<Change> change(const TicketOrder& order, const std::string& id, const api::tickets::TicketText& text);
    /// Writes the note of this revision where it is news and not there yet; whether it did.
    Remote<bool> tell(const TicketOrder& order, const std::string& id, const api::tickets::TicketText& text);
    bool tells_status(const TicketOrder& order, const nlohmann::json& ticket) const;
    bool replies() const { return connector_.request_tracker.notes == api::tickets::RequestTrackerTarget::Notes::correspond; }
    static constexpr std::size_t history_page = 100;  ///< the largest that Request Tracker gives
    /// A page of the ticket's history, from 1 on, newest first.
    Remote<std::vector<nlohmann::json>> history(const std::string& id, std::size_t page);
    /// The name of our account, asked until it is known; "" while nothing in the queue or on the ticket `id` is of its making.
    Remote<std::string> account(const std::string& id);
    /// Whether an entry of a history is a note that begins with our mark.
    bool is_own_note(const nlohmann::json& transaction) const;
    /// Whether the ticket shows this revision already: an earlier attempt has arrived, and only its reply was lost.
    Remote<bool> shows(const TicketOrder& order, const std::string& id);
    /// Whether the ticket's state is one of those that Request Tracker calls inactive. Asked once a word.
    Remote<bool> is_closed(const RemoteTicket& ticket);
    /// Which of the subjects the ticket's notes have, as far as its history is read.
    struct Found {
        std::set<std::string> subjects;
        bool is_whole = false;  ///< it was read to its end, or until all were found
    };
    /// A reply opens what is closed, and ours is not to: where one of ours made Request Tracker open the ticket, and since then nobody has replied or set the
    /// state, the state becomes what it was. It is told from the history, so that what we did not come to before we ended is made good. `ticket` as it was read
    /// with `etag`; whether the state was set.
    Remote<bool> put_back_state(const nlohmann::json& ticket, const std::string& etag);
    Remote<Found> find_notes(const std::string& id, const std::set<std::string>& subjects);
    /// What somebody wrote, without tags; "" when it has no text.
    Remote<std::string> words_in(const std::string& transaction);

    /// Of a note in a history.
    static std::string subject_of(const nlohmann::json& transaction);
    std::string marker_of(const nlohmann::json& ticket) const;
    RemoteTicket ticket_from(const nlohmann::json& ticket) const;

    const api::tickets::Connector& connector_;
    Wire& wire_;
    JsonClient client_;
    std::string marker_prefix_;
    bool field_checked_ = false;
    std::string account_;
    std::map<std::string, bool> closed_words_;
};

}  // namespace catenary::server::tickets
