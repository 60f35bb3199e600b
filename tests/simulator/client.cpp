#include "tests/simulator/client.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace catenary::simulator {
namespace {

using api::ingest::CommitOutcome;
using api::ingest::ItemStatus;
using Item = tests::BatchBuilder::Item;

constexpr std::ptrdiff_t side_by_side = 6;

Item item_of(const engine::Signal& signal) {
    Item item;
    item.source = signal.source;
    item.id = signal.id;
    item.time = signal.time;
    item.domain = signal.domain;
    item.name = signal.name;
    item.tactics = signal.tactics;
    item.techniques = signal.techniques;
    item.severity = signal.severity;
    item.confidence = signal.confidence;
    item.count = signal.count;
    item.entities.clear();
    for (const auto& entity : signal.entities) item.entities.push_back({entity.kind, entity.value, entity.role, entity.identifies});
    nlohmann::json attributes = nlohmann::json::object();
    for (const auto& attribute : signal.attributes) attributes[attribute.path] = std::get<std::string>(attribute.value);
    if (!attributes.empty()) item.attributes = attributes.dump();
    return item;
}

/// What tells two contents apart here: of one id they differ in one of these.
bool is_same(const Item& item, const SignalRow& row, const Database& database) {
    return item.time == row.time && item.confidence == row.confidence && item.count == row.count && item.attributes == row.attributes &&
           item.entities.size() == row.view().entity_count() && database.definition(row.definition).name == item.name;
}

std::string name_of(engine::TenantId tenant, const Item& item) { return fmt::format("{}/{}/{}", tenant.value(), item.source, item.id); }

}  // namespace

void Client::add(engine::TenantId tenant, const engine::Signal& signal) {
    auto item = item_of(signal);
    if (filling_ && (filling_->tenant != tenant || filling_->items.size() >= fill_)) close_request();
    if (!filling_) {
        filling_ = Request{tenant, {}, dice_.pick(0, 7), dice_.percent(15) ? 2 : 1, false, nullptr, nullptr};
        if (stable_servers_) filling_->preferred = 0;
        fill_ = static_cast<std::size_t>(dice_.pick(1, 5));
    }
    if (dice_.percent(12)) {
        auto other = item;
        if (stable_servers_ && dice_.percent(50)) other.time += std::chrono::seconds{1};
        else other.confidence = other.confidence / 2;
        Request conflict{tenant, {other}, filling_->preferred, 1, false, nullptr, nullptr};
        if (dice_.percent(50)) requests_.push_back(std::move(conflict));
        else filling_->items.push_back(std::move(other));  // in one request with the first
    }
    filling_->items.push_back(std::move(item));
    if (dice_.percent(5)) filling_->items.push_back(filling_->items.back());
    if (filling_->items.size() >= fill_) close_request();
}

void Client::close_request() {
    if (filling_) requests_.push_back(*std::exchange(filling_, std::nullopt));
}

bool Client::is_done() const {
    return !filling_ && std::all_of(requests_.begin(), requests_.end(), [](const Request& request) { return request.answers_left == 0; });
}

void Client::send(const Choose& choose) {
    if (filling_ && dice_.percent(30)) close_request();
    if (std::count_if(requests_.begin(), requests_.end(), [](const Request& request) { return request.open; }) >= side_by_side) return;
    std::vector<Request*> able;
    for (auto& request : requests_) {
        if (!request.open && request.answers_left > 0) able.push_back(&request);
        if (able.size() == side_by_side) break;
    }
    if (able.empty()) return;
    auto& request = *able[dice_.index(able.size())];
    if (auto* committer = choose(stable_servers_ ? request.preferred : -1)) send(request, *committer);
}

void Client::send(Request& request, server::Committer& committer) {
    tests::BatchBuilder builder;
    for (const auto& item : request.items) builder.add(item);
    auto sending = std::make_shared<Sending>(Sending{request.tenant, request.items, builder.build(), std::nullopt});
    sendings_.push_back(sending);
    request.open = true;
    request.to = &committer;
    request.listening = std::make_shared<bool>(true);
    const auto index = static_cast<std::size_t>(&request - requests_.data());
    committer.submit(request.tenant, sending->batch, [this, index, sending, listening = request.listening](CommitOutcome outcome) {
        if (!*listening) return;  // the process is gone
        *listening = false;
        auto& answered = requests_[index];
        answered.open = false;
        const bool is_committed = outcome.state == CommitOutcome::State::committed;
        for (const auto& item : outcome.items) {
            duplicates += item.status == ItemStatus::duplicate ? 1 : 0;
            conflicts += item.status == ItemStatus::conflict ? 1 : 0;
        }
        sending->outcome = std::move(outcome);
        if (is_committed && dice_.percent(92)) --answered.answers_left;  // else the reply gets lost on its way
    });
}

void Client::forget(const server::Committer* committer) {
    for (auto& request : requests_) {
        if (!request.open || request.to != committer) continue;
        *request.listening = false;
        request.open = false;
    }
}

std::optional<std::string> Client::broken(const Database& database) const {
    std::map<std::string, std::vector<const SignalRow*>> stored;
    std::map<std::pair<const void*, std::uint32_t>, const SignalRow*> by_sending;
    for (const auto& [position, row] : database.signals) {
        const auto source = database.definition(row.definition).source;
        stored[fmt::format("{}/{}/{}", row.tenant.value(), source, row.source_id)].push_back(&row);
        by_sending[{row.batch, row.place}] = &row;
    }
    for (const auto& [name, rows] : stored) {
        if (rows.size() != 1) return fmt::format("{} is stored {} times", name, rows.size());
    }
    std::map<std::string, int> accepted;
    for (const auto& sending : sendings_) {
        const bool is_committed = sending->outcome && sending->outcome->state == CommitOutcome::State::committed;
        for (std::uint32_t i = 0; i < sending->items.size(); ++i) {
            const auto& item = sending->items[i];
            const auto name = name_of(sending->tenant, item);
            const auto found = stored.find(name);
            const auto from_here = by_sending.find({sending->batch.get(), i});
            if (sending->outcome && !is_committed && sending->outcome->state != CommitOutcome::State::unknown && from_here != by_sending.end()) {
                return name + " was answered unavailable and is stored";
            }
            if (!is_committed) continue;
            if (found == stored.end()) return name + " was acknowledged and is not stored";
            const auto& row = *found->second.front();
            const auto& answer = sending->outcome->items.at(i);
            if (answer.refused) return name + " was refused";
            if ((answer.status == ItemStatus::conflict) == is_same(item, row, database)) {
                return fmt::format("{} was answered {}, but its content is {} stored", name,
                                   answer.status == ItemStatus::conflict ? "conflict" : "accepted or duplicate",
                                   answer.status == ItemStatus::conflict ? "what is" : "not what is");
            }
            if (answer.status != ItemStatus::accepted) continue;
            if (++accepted[name] > 1) return name + " was accepted twice";
            if (from_here == by_sending.end()) return name + " was accepted, but what is stored came with another request";
        }
    }
    return std::nullopt;
}

}  // namespace catenary::simulator
