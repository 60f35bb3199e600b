#include "api/http/target.hpp"
#include "server/tickets/hooks.hpp"
#include "server/tickets/overlap.hpp"
#include "server/tickets/request_tracker.hpp"
#include "server/tickets/ticket_note.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

// What changed on tickets, who did it, and what Request Tracker did by itself because of us.

namespace catenary::server::tickets {

using api::http::percent_encoded;
using Json = nlohmann::json;

namespace {

// The largest page that Request Tracker gives. It checks the token's slow hash with each request, which takes longer than to list a hundred tickets.
constexpr std::size_t page_size = 100;
constexpr std::size_t most_pages = 100;
constexpr std::size_t most_state_words = 100;
constexpr auto its_own_account = "RT_System";  // opens what somebody replies to

bool is_reply(const Json& transaction) { return text_at(transaction, "Type") == "Correspond"; }

bool sets_status(const Json& transaction) { return text_at(transaction, "Type") == "Status" || text_at(transaction, "Field") == "Status"; }

std::string creator_of(const Json& transaction) { return text_at(member(transaction, "Creator"), "id"); }

}  // namespace

Remote<std::vector<Json>> RequestTracker::history(const std::string& id, std::size_t page) {
    const auto found = client_.ask(
        "read",
        fmt::format("/ticket/{}/history?fields=Type,Field,Data,Creator,OldValue,NewValue&orderby=id&order=DESC&per_page={}&page={}", id, history_page, page));
    if (!found) return found.error();
    const auto& items = member(*found, "items");
    return std::vector<Json>(items.begin(), items.end());
}

Remote<std::string> RequestTracker::account(const std::string& id) {
    if (!account_.empty()) return account_;
    // It has no question for who one is, and a ticket with our mark may be somebody's copy of ours. But its searches know __CurrentUser__, and tell by what
    // that one made who it is: a ticket of the queue, or else (from 5.0 on, where the account is a new one) an entry of this ticket.
    const std::array<std::string, 2> ways{
        "/tickets?fields=Creator&per_page=1&query=" +
            percent_encoded(fmt::format("Queue = '{}' AND Creator = '__CurrentUser__'", connector_.request_tracker.queue)),
        "/transactions?fields=Creator&per_page=1&query=" + percent_encoded(fmt::format("TicketId = {} AND Creator = '__CurrentUser__'", id))};
    for (const auto& way : ways) {
        const auto found = client_.ask("read", way);
        if (!found && found.error().kind == RemoteFault::Kind::gone) continue;  // an older one does not search transactions
        if (!found) return found.error();
        for (const auto& item : member(*found, "items")) {
            if (auto name = creator_of(item); !name.empty()) return account_ = std::move(name);
        }
    }
    return std::string{};
}

bool RequestTracker::is_own_note(const Json& transaction) const { return subject_of(transaction).starts_with(line_begin(marker_prefix_)); }

Remote<bool> RequestTracker::put_back_state(const Json& ticket, const std::string& etag) {
    const auto id = text_at(ticket, "id");
    const auto transactions = history(id, 1);
    if (!transactions) return transactions.error();
    std::string before;  // it was opened
    bool is_by_ours = false;
    for (const auto& transaction : *transactions) {  // the newest first
        if (sets_status(transaction)) {
            const bool opens = before.empty() && creator_of(transaction) == its_own_account && text_at(transaction, "NewValue") == text_at(ticket, "Status");
            if (!opens) break;  // that is how somebody, or we ourselves, want it
            before = text_at(transaction, "OldValue");
        } else if (is_reply(transaction)) {
            const bool is_ours = is_own_note(transaction);
            if (!is_ours) break;  // whoever replied wants it open
            is_by_ours = !before.empty();
            if (is_by_ours) break;
        }
    }
    if (!is_by_ours) return false;
    const auto guard = etag.empty() ? std::vector<std::string>{} : std::vector<std::string>{"If-Match: " + etag};
    const auto written = client_.write("note", "PUT", "/ticket/" + id, {{"Status", before}}, guard);
    // Somebody has changed it since: then it is as they want it.
    if (!written && client_.status() != 412) return written.error();
    return written.has_value();
}

Remote<bool> RequestTracker::is_closed(const RemoteTicket& ticket) {
    if (const auto known = closed_words_.find(ticket.status); known != closed_words_.end()) return known->second;
    for (const auto* group : {"__Inactive__", "__Active__"}) {
        const auto query = percent_encoded(fmt::format("id = {} AND Status = '{}'", ticket.id, group));
        const auto found = client_.ask("read", "/tickets?fields=Status&per_page=1&query=" + query);
        if (!found) return of_no_ticket(found.error());
        for (const auto& item : member(*found, "items")) {
            if (text_at(item, "Status") != ticket.status) continue;
            if (closed_words_.size() >= most_state_words) closed_words_.clear();
            return closed_words_[ticket.status] = group == std::string_view{"__Inactive__"};
        }
    }
    return RemoteFault{RemoteFault::Kind::later, fmt::format("ticket {} changed its state while it was asked about", ticket.id)};
}

/// Newest first, until what was seen before: a time in a query would be taken for one of the account's own time zone.
Remote<std::vector<RemoteTicket>> RequestTracker::changes_since(const std::string& seen) {
    const auto& target = connector_.request_tracker;
    const auto since = overlapped(seen);
    const auto query = percent_encoded(fmt::format("Queue = '{}' AND CF.{{{}}} STARTSWITH '{}'", target.queue, target.incident_field, marker_prefix_));
    std::vector<RemoteTicket> changed;
    bool is_complete = false;
    for (std::size_t page = 1; page <= most_pages && !is_complete; ++page) {
        const auto found = client_.ask(
            "poll", fmt::format("/tickets?fields=Status,LastUpdated&orderby=LastUpdated&order=DESC&per_page={}&page={}&query={}", page_size, page, query));
        if (!found) return of_no_ticket(found.error());
        const auto& items = member(*found, "items");
        is_complete = items.size() < page_size;
        for (const auto& item : items) {
            auto ticket = ticket_from(item);
            if (ticket.seen < since) {
                is_complete = true;
                break;
            }
            changed.push_back(std::move(ticket));
        }
    }
    if (!is_complete) return RemoteFault{RemoteFault::Kind::later, fmt::format("more than {} tickets changed since {}", most_pages * page_size, since)};
    for (auto& ticket : changed) {
        const auto closed = is_closed(ticket);
        if (!closed) return closed.error();
        ticket.closed = *closed;
    }
    std::ranges::stable_sort(changed, {}, &RemoteTicket::seen);
    return changed;
}

Remote<bool> RequestTracker::set_by_us(const RemoteTicket& ticket) {
    const auto us = account(ticket.id);
    if (!us) return us.error();
    const auto transactions = history(ticket.id, 1);
    if (!transactions) return transactions.error();
    bool is_its_own = false;  // who replied before that is who set it
    for (const auto& transaction : *transactions) {
        const auto who = creator_of(transaction);
        const bool is_ours = (!us->empty() && who == *us) || is_own_note(transaction);
        if (is_its_own) {
            if (is_reply(transaction)) return is_ours;
        } else if (sets_status(transaction) && who == its_own_account) {
            is_its_own = true;
        } else if (sets_status(transaction) || text_at(transaction, "Type") == "Create") {
            return is_ours;
        }
    }
    return false;
}

std::optional<engine::Result<HookNews>> RequestTracker::parse_hook(const api::tickets::HookMessage& message, std::int64_t now) const {
    return standard_hook(wire_.hook_secrets(), message, now, false);
}

Remote<RemoteTicket> RequestTracker::look(const std::string& id) {
    const auto there = read(id);
    if (!there) return there.error();
    auto ticket = ticket_from(*there);
    const auto closed = is_closed(ticket);
    if (!closed) return closed.error();
    ticket.closed = *closed;
    return ticket;
}

}  // namespace catenary::server::tickets
