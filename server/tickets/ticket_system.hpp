#pragma once

#include "api/tickets/connector.hpp"
#include "api/tickets/hook.hpp"
#include "api/tickets/ticket_text.hpp"
#include "engine/model/result.hpp"
#include "server/tickets/outbound.hpp"

#include <boost/system/result.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace catenary::server::tickets {

/// One request and what came of it, without secrets and bounded, for the delivery log.
struct Exchanged {
    std::string action;
    std::string method;
    std::string url;
    std::string request;
    int status = 0;  ///< 0: no reply
    std::string reply;
    std::string failure;
    std::chrono::microseconds took{};
};

/// Talks for one connector and keeps a record of it. One thread.
class Wire {
public:
    Wire(Outbound& outbound, api::tickets::Secrets secrets) : outbound_{outbound}, secrets_{std::move(secrets)} {}

    OutboundResult send(std::string_view action, const OutboundRequest& request);
    /// The newest exchange did not do what it should.
    void blame(std::string_view why);
    /// What was exchanged since the last call.
    std::vector<Exchanged> take();
    /// One value of a secret, "" when there is none.
    std::string secret(const std::string& name) const;
    const std::vector<std::string>& secrets(const std::string& name) const;
    /// What the ticket system signs its hooks with.
    const std::vector<std::string>& hook_secrets() const;
    /// The header of basic authorisation by an account and a secret, which counts as a secret from then on.
    std::string basic_authorization(const std::string& account, const std::string& secret_name);
    /// `text` without secrets, at most 16 KiB.
    std::string shown(std::string_view text) const;

private:
    Outbound& outbound_;
    api::tickets::Secrets secrets_;
    std::vector<Exchanged> exchanged_;
};

/// Why something did not happen there, and what follows from it.
struct RemoteFault {
    enum class Kind {
        later,         ///< nothing has happened: try again
        in_doubt,      ///< it may have happened: look before it is sent again
        unauthorised,  ///< 401, 403: nothing is sent until somebody has looked
        permanent,     ///< refused for what was sent: the ticket fails with the system's own words
        gone,          ///< the ticket is there no more
        disabled,      ///< the receiver wants nothing more, ever (410)
    };
    Kind kind;
    std::string words;
    std::optional<std::chrono::seconds> retry_after = {};
};
template <class T>
using Remote = boost::system::result<T, RemoteFault>;

/// A ticket as its system shows it.
struct RemoteTicket {
    std::string id;
    std::string url;
    std::string status;           ///< its own word
    std::string resolution;       ///< how it was closed, where the system says so apart from the state
    bool closed = false;          ///< of what `changes_since` tells
    std::string seen;             ///< when it changed last, as the system says it
    bool status_is_ours = false;  ///< we have just written it; else somebody may have changed it since we looked last
    std::string warning;          ///< what was not taken over although the system said nothing
};

/// A note of ours on a ticket.
struct OwnNote {
    std::string key;  ///< one word, unlike that of any other note of ours on the ticket
    std::string text;
};

/// Another ticket of the same system that a ticket is linked with, and why.
struct Related {
    std::string id;
    api::tickets::Kin::Tie tie;
};

/// What a ticket is to show. Of an incident that was merged into another no ticket is made: where none is found, the answer is a ticket without an id.
struct TicketOrder {
    const api::tickets::Connector& connector;
    const api::tickets::TicketStory& story;
    std::string marker;          ///< our name of the incident, unique among all who use the ticket system
    std::string external_id;     ///< "": there is none yet, as far as we know
    std::string told_status;     ///< of the incident, as the ticket knows it
    std::int64_t delivered = 0;  ///< revision that the ticket shows
    bool is_news = true;         ///< the incident's state is another one than the ticket was told: worth a note
};

/// A note on a ticket, as its system shows it.
struct RemoteNote {
    std::string id;      ///< in the system's words: what `notes_since` is to go on behind, once this one was taken
    std::string author;  ///< for people
    std::string text;
    bool is_ours = false;
};

/// What a hook tells.
struct HookNews {
    std::string delivery;                ///< id of the delivery: the same for each attempt
    std::string ticket;                  ///< id of the ticket that may have changed; "": it tells of none
    std::optional<RemoteTicket> report;  ///< how the ticket is, where nobody can be asked
};

/// A kind of ticket system: the one contract that the dispatcher knows. Every call is bounded in time by the limits of its Outbound. One thread.
class TicketSystem {
public:
    virtual ~TicketSystem() = default;
    /// Whether address, credentials and the places named in the document are as they should; what was found, for people.
    virtual Remote<std::string> test() = 0;
    /// Makes the ticket, or brings it up to date; what may have arrived before is looked for first. The ticket as it is afterwards.
    virtual Remote<RemoteTicket> deliver(const TicketOrder& order) = 0;
    /// Our tickets that changed at or after `seen` ("": ever), oldest first.
    virtual Remote<std::vector<RemoteTicket>> changes_since(const std::string& seen) = 0;
    /// Links the ticket with others; those that are linked already are left alone. What was not taken over, "" when all was; `marker`: as in TicketOrder. A
    /// kind without links does nothing.
    virtual Remote<std::string> relate(const std::string& id, const std::string& marker, const std::vector<Related>& others);
    /// Writes those of the notes that the ticket has not got yet, in order; `marker`: as in TicketOrder. A kind without notes does nothing.
    virtual Remote<std::string> write_notes(const std::string& id, const std::string& marker, const std::vector<OwnNote>& notes);
    /// The ticket's notes behind the one with the id `after` ("": all), oldest first as far as the system tells; what is marked as private there is left out.
    /// A kind without notes has none.
    virtual Remote<std::vector<RemoteNote>> notes_since(const std::string& id, const std::string& after);
    /// Whether it was our own account that set the ticket's present state: what we wrote without hearing of it, or what somebody's change was answered with,
    /// is nobody's wish. False where the system keeps no history that says so.
    virtual Remote<bool> set_by_us(const RemoteTicket& ticket);
    /// What a hook tells; empty when it is not signed by one of the connector's secrets at `now`, in seconds since 1970, as it always is for a kind without
    /// hooks. But for a report it is never believed: the ticket is looked at.
    virtual std::optional<engine::Result<HookNews>> parse_hook(const api::tickets::HookMessage& message, std::int64_t now) const;
    /// The ticket as it is now. A kind whose hooks report needs none.
    virtual Remote<RemoteTicket> look(const std::string& id);
    /// How long to wait before attempt `attempts` + 1; empty: no more.
    virtual std::optional<std::chrono::milliseconds> wait_after(int attempts) const;
};

/// The answer to an order for an incident that was merged into another before it had a ticket.
RemoteTicket unneeded_ticket(const TicketOrder& order);

/// For the kind that the connector names; both references must outlive it. `marker_prefix`: what every marker of this tenant begins with.
std::unique_ptr<TicketSystem> make_ticket_system(const api::tickets::Connector& connector, Wire& wire, std::string marker_prefix);

/// Whether the account may not do this, or the system has no such thing: it may do all else, so what is only an addition to a ticket must not fail it.
bool is_refusal(const RemoteFault& fault);
/// The fault of what was not answered.
RemoteFault fault_of(const OutboundError& error);
/// The fault of an answer that is none of 2xx. `words`: the system's own.
RemoteFault fault_of(const OutboundReply& reply, std::string words);

}  // namespace catenary::server::tickets
