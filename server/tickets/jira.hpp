#pragma once

#include "engine/model/time.hpp"
#include "server/tickets/json_client.hpp"
#include "server/tickets/ticket_system.hpp"

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace catenary::server::tickets {

/// Jira Cloud by its REST API, version 3; written by its description and tested against a fake. Its search shows what was written some time later, so an
/// issue is looked for by search (label, remote link) and, where that finds none, among the project's newest keys, which are read as they are. Changes are
/// found by search and read the same way. States are reached by transitions, whose names differ by project: a word is a status or its category.
class Jira final : public TicketSystem {
public:
    using Clock = std::function<engine::Timestamp()>;
    /// `clock`: for the span that a search for changes goes back; the machine's when left out.
    Jira(const api::tickets::Connector& connector, Wire& wire, std::string marker_prefix, Clock clock = {});

    Remote<std::string> test() override;
    Remote<RemoteTicket> deliver(const TicketOrder& order) override;
    Remote<std::vector<RemoteTicket>> changes_since(const std::string& seen) override;
    Remote<std::string> relate(const std::string& id, const std::string& marker, const std::vector<Related>& others) override;
    Remote<std::string> write_notes(const std::string& id, const std::string& marker, const std::vector<OwnNote>& notes) override;
    Remote<std::vector<RemoteNote>> notes_since(const std::string& id, const std::string& after) override;
    Remote<bool> set_by_us(const RemoteTicket& ticket) override;
    /// Its own webhooks, with a secret.
    std::optional<engine::Result<HookNews>> parse_hook(const api::tickets::HookMessage& message, std::int64_t now) const override;
    Remote<RemoteTicket> look(const std::string& id) override;

private:
    /// One page of a search: ids alone, since what it says of an issue may be old.
    Remote<nlohmann::json> search(std::string_view action, const std::string& jql, int most, const std::string& next = "");
    /// Issues by ids or keys as they are; those that there are not are left out.
    Remote<std::vector<nlohmann::json>> fetch(std::string_view action, const std::vector<std::string>& names);
    /// Issues that carry the marker, the oldest first.
    Remote<std::vector<nlohmann::json>> find(const std::string& marker);
    /// The same among the keys that the search may not know yet.
    Remote<std::vector<nlohmann::json>> find_recent(const std::string& marker);
    Remote<bool> is_linked(const std::string& id, const std::string& marker);
    Remote<nlohmann::json> read(const std::string& id);

    Remote<RemoteTicket> create(const TicketOrder& order);
    Remote<RemoteTicket> update(const TicketOrder& order, const std::string& id);
    /// The link to the incident, made or brought up to date by its globalId.
    Remote<void> link(const TicketOrder& order, const std::string& id);
    /// The note of this revision, where it is not there yet.
    Remote<void> note(const TicketOrder& order, const std::string& id);
    /// By a transition, where one leads there; what was in the way otherwise, "" when nothing was.
    Remote<std::string> bring(const std::string& id, const std::string& word);
    Remote<RemoteTicket> read_back(const TicketOrder& order, const std::string& id, bool told, std::string warning);
    std::string tenant_label() const;

    /// Our account's id. Asked once.
    Remote<std::string> account();
    struct CommentPage {
        std::vector<nlohmann::json> comments;
        bool is_last = true;
    };
    /// Comments of an issue behind the newest `from` ones, newest first.
    Remote<CommentPage> comments(const std::string& id, std::size_t from);
    /// Which of the lines some comment ends in, as far as they were read.
    struct Found {
        std::set<std::string> lines;
        bool is_whole = false;  ///< all were read, or all were found
    };
    Remote<Found> find_lines(const std::string& id, const std::set<std::string>& lines, std::size_t most);
    Remote<void> comment(const std::string& id, const OwnNote& note, const std::string& line);
    /// Ids of the issues that this one is linked with, by whatever type.
    Remote<std::set<std::string>> linked(const std::string& id);
    /// Names of the types that links get, as the site has them; "" where it has none at all.
    struct LinkTypes {
        std::string merge;
        std::string split;
    };
    /// Asked once.
    Remote<LinkTypes> link_types();

    const api::tickets::Connector& connector_;
    Wire& wire_;
    JsonClient client_;
    std::string marker_prefix_;
    Clock clock_;
    std::string account_;
    std::optional<LinkTypes> link_types_;
};

}  // namespace catenary::server::tickets
