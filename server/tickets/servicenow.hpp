#pragma once

#include "server/tickets/json_client.hpp"
#include "server/tickets/ticket_system.hpp"

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace catenary::server::tickets {

/// ServiceNow by its Table API; written by its description and tested against a fake. A condition of a query on a column that there is not is ignored, and so
/// is a field that there is not; so a record is looked for by our marker in `correlation_id`, what comes back is held against it, and everything is read
/// back. To resolve takes a close code and notes, or a data policy refuses with 403.
class ServiceNow final : public TicketSystem {
public:
    ServiceNow(const api::tickets::Connector& connector, Wire& wire, std::string marker_prefix);

    Remote<std::string> test() override;
    Remote<RemoteTicket> deliver(const TicketOrder& order) override;
    Remote<std::vector<RemoteTicket>> changes_since(const std::string& seen) override;
    Remote<std::string> relate(const std::string& id, const std::string& marker, const std::vector<Related>& others) override;
    Remote<std::string> write_notes(const std::string& id, const std::string& marker, const std::vector<OwnNote>& notes) override;
    Remote<std::vector<RemoteNote>> notes_since(const std::string& id, const std::string& after) override;
    Remote<bool> set_by_us(const RemoteTicket& ticket) override;
    /// A business rule there may send one, by the Standard Webhooks specification.
    std::optional<engine::Result<HookNews>> parse_hook(const api::tickets::HookMessage& message, std::int64_t now) const override;
    Remote<RemoteTicket> look(const std::string& id) override;

private:
    /// Records of the table that a query finds.
    Remote<std::vector<nlohmann::json>> list(std::string_view action, const std::string& query, std::size_t most, std::size_t offset = 0);
    Remote<nlohmann::json> write(std::string_view action, const std::string& method, const std::string& id, const nlohmann::json& record);
    /// Records that carry the marker, the oldest first.
    Remote<std::vector<nlohmann::json>> find(const std::string& marker);
    Remote<nlohmann::json> read(const std::string& id);
    Remote<RemoteTicket> create(const TicketOrder& order);
    Remote<RemoteTicket> update(const TicketOrder& order, const std::string& id);
    /// What a record of the incident holds, whether it is new or not.
    nlohmann::json record_of(const TicketOrder& order) const;
    /// Adds a state and what ServiceNow requires for it.
    void add_state(const TicketOrder& order, const std::string& state, nlohmann::json& record) const;
    std::string untaken(const TicketOrder& order, const nlohmann::json& shown, const std::string& state) const;
    RemoteTicket ticket_from(const nlohmann::json& record) const;
    std::string path(const std::string& id, const std::string& parameters) const;
    /// "2026-03-05 10:10:00" of UTC, as an RFC 3339 time.
    static std::string time_of(const nlohmann::json& record, std::string_view column);

    /// The journal field that our notes go into.
    const char* notes_field() const { return connector_.servicenow.notes == api::tickets::ServiceNowTarget::Notes::comments ? "comments" : "work_notes"; }
    /// At most so many entries of the journal that a query finds; fewer where they are longer than a reply may be.
    Remote<std::vector<nlohmann::json>> journal(std::string_view action, const std::string& query, std::size_t most, std::size_t offset);
    /// Entries of both journals of a record that a query finds, newest first; `take` says whether to go on.
    template <class Take>
    Remote<void> read_journal(const std::string& id, const std::string& query, Take take);
    /// Which of the lines our notes of the incident end in.
    struct Found {
        std::set<std::string> lines;
        bool is_seen = false;  ///< the record's notes may be read
    };
    Remote<Found> find_lines(const std::string& id, const std::string& marker, const std::set<std::string>& lines);
    /// The same in what the record shows of its notes, for whom the journal does not show itself to.
    Remote<Found> find_shown(const std::string& id, const std::set<std::string>& lines);
    /// These records, by id; those that there are not are left out.
    Remote<std::map<std::string, nlohmann::json>> read_all(const std::vector<std::string>& ids);
    /// Makes `child` a child of `parent`; what was in the way, "" when nothing was.
    Remote<std::string> bring_under(const nlohmann::json& child, const nlohmann::json& parent);

    const api::tickets::Connector& connector_;
    Wire& wire_;
    JsonClient client_;
    std::string marker_prefix_;
    std::set<std::string> unseen_;  ///< lines of notes that were written and do not show: they are not written again
};

}  // namespace catenary::server::tickets
