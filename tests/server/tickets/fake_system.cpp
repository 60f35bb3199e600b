#include "tests/server/tickets/fake_system.hpp"

#include "api/http/target.hpp"

#include <fmt/format.h>

#include <utility>

namespace catenary::tests {

Fate refused(int status, std::string body, std::vector<std::string> headers) {
    return {Fate::Kind::refused, {status, std::move(body), std::move(headers), SiteAnswer::Cut::nowhere}};
}
Fate failed(int status, std::string body) { return {Fate::Kind::failed, {status, std::move(body), {}, SiteAnswer::Cut::nowhere}}; }

std::map<int, FakeSystem::Ticket> FakeSystem::tickets() const {
    const std::lock_guard lock{mutex_};
    return tickets_;
}

std::vector<int> FakeSystem::carrying(const std::string& marker_end) const {
    const std::lock_guard lock{mutex_};
    std::vector<int> ids;
    for (const auto& [id, ticket] : tickets_) {
        if (ticket.marker.ends_with(marker_end)) ids.push_back(id);
    }
    return ids;
}

void FakeSystem::set_status(int id, const std::string& status) {
    const std::lock_guard lock{mutex_};
    auto& ticket = tickets_.at(id);
    const auto before = std::exchange(ticket.status, status);
    ticket.ours = false;
    ticket.changed = ++clock_;
    note_status(id, before);
}

void FakeSystem::remove(int id) {
    const std::lock_guard lock{mutex_};
    tickets_.at(id).deleted = true;
}

void FakeSystem::copy(int id) {
    const std::lock_guard lock{mutex_};
    const int next = tickets_.rbegin()->first + 1;
    tickets_[next] = tickets_.at(id);
    tickets_[next].changed = ++clock_;
}

void FakeSystem::plan(const std::string& sort, std::vector<Fate> fates) {
    const std::lock_guard lock{mutex_};
    fates_[sort].assign(fates.begin(), fates.end());
}

std::vector<std::string> FakeSystem::sorts() const {
    const std::lock_guard lock{mutex_};
    return sorts_;
}

SiteAnswer FakeSystem::respond(const SiteRequest& request) {
    const std::lock_guard lock{mutex_};
    const auto sort = sort_of(request);
    sorts_.push_back(sort);
    auto& waiting = fates_[sort];
    if (waiting.empty()) return answer(request);
    const auto fate = waiting.front();
    waiting.pop_front();
    if (fate.kind == Fate::Kind::refused) return fate.answer;
    const auto before = tickets_;
    auto said = answer(request);
    if (fate.kind == Fate::Kind::failed) return fate.answer;
    if (fate.kind == Fate::Kind::dropped) tickets_ = before;
    else said.cut = SiteAnswer::Cut::before_reply;
    return said;
}

std::string FakeSystem::time_of(int clock) { return fmt::format("2026-03-05T{:02}:{:02}:{:02}Z", clock / 3600, clock / 60 % 60, clock % 60); }

std::string FakeSystem::parameter(const SiteRequest& request, const std::string& name) {
    const auto target = api::http::parse_target(request.target);
    if (!target) return "";
    for (const auto& [key, value] : target->query) {
        if (key == name) return value;
    }
    return "";
}

std::string FakeSystem::path_of(const SiteRequest& request) { return request.target.substr(0, request.target.find('?')); }

}  // namespace catenary::tests
