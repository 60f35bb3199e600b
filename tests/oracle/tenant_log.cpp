#include "tests/oracle/tenant_log.hpp"

#include "tests/oracle/score.hpp"

#include <algorithm>
#include <stdexcept>

namespace catenary::oracle {
namespace {

using engine::Duration;
using engine::Mode;
using engine::Timestamp;

/// How long a finding may wait after its end for what should follow; at the limit itself a signal still counts.
Duration longest_wait(const engine::Pattern& pattern) {
    Duration longest{};
    for (const auto& absence : pattern.absent) {
        if (absence.where == engine::Absence::Where::after) longest = std::max(longest, absence.within + Duration{1});
    }
    return longest;
}

/// One that comes into production ends every other version, one on trial those on trial, `off` all.
bool ends(const engine::PatternChange& change, const Version& other) {
    if (other.end || other.pattern->id != change.pattern->id) return false;
    return change.deployed() != Mode::flighting || other.mode == Mode::flighting;
}

}  // namespace

TenantLog::TenantLog(const engine::Catalogue& shipped, std::span<const test::LogEntry> entries) {
    for (const auto& pattern : shipped) versions_.push_back({pattern, pattern->mode, Timestamp::min()});
    for (const auto& entry : entries) {
        if (const auto* signal = std::get_if<engine::Signal>(&entry.body)) take(*signal, entry.admitted);
        else take(std::get<engine::ControlBody>(entry.body), entry.admitted);
    }
}

void TenantLog::take(const engine::Signal& signal, Timestamp admitted) {
    const bool is_late = clock_.watermark && signal.time < *clock_.watermark;
    const bool is_forgotten = clock_.horizon && signal.time < *clock_.horizon;
    signals_.push_back({signal, is_late, is_forgotten});
    for (const auto& named : signal.entities) number_of({named.kind, named.value});
    clock_.newest = std::max(newest(), signal.time);
    advance(std::min(signal.time, admitted));  // a clock that is ahead does not move time further than to its admission
}

void TenantLog::take(const engine::ControlBody& body, Timestamp admitted) {
    if (std::holds_alternative<engine::Tick>(body) && reached_) advance(admitted);
    if (const auto* call = std::get_if<engine::WatermarkCall>(&body)) {
        clock_.held = call->hold;
        move_watermark(call->time);
    }
    if (const auto* setting = std::get_if<engine::SettingChange>(&body)) {
        if (setting->lateness) {
            lateness_ = *setting->lateness;
            advance(std::nullopt);
        }
        if (setting->daily_incidents) daily_incidents_ = signals_.empty() ? setting->daily_incidents : std::nullopt;
        if (setting->base_rate) base_rates_.push_back(*setting->base_rate);
        if (setting->unlinkable_limit) decisions_.push_back({newest(), static_cast<std::size_t>(*setting->unlinkable_limit), {}, false});
    }
    if (const auto* entity = std::get_if<engine::EntityChange>(&body))
        decisions_.push_back({newest(), {}, number_of(entity->entity), entity->link == engine::LinkRule::deny});
    if (const auto* pattern = std::get_if<engine::PatternChange>(&body)) change(*pattern);
}

void TenantLog::change(const engine::PatternChange& change) {
    Timestamp effective = Timestamp::min();
    if (change.effective_from) {
        effective = *change.effective_from;
    } else if (clock_.newest && clock_.watermark) {
        Duration back = std::max(change.pattern->within, longest_wait(*change.pattern));
        for (const auto& version : versions_) {
            if (ends(change, version)) back = std::max(back, longest_wait(*version.pattern));
        }
        effective = *clock_.watermark - back;
    }
    for (auto& version : versions_) {
        if (version.pattern->id == change.pattern->id && version.pattern->version == change.pattern->version)
            throw std::invalid_argument{"version " + std::to_string(change.pattern->version) + " of " + change.pattern->id + " is posted again"};
        if (!ends(change, version)) continue;
        version.end = {signals_.size(), watermark(), {}};
        if (change.deployed() == Mode::production) version.end->taken_back = effective;
    }
    if (change.deployed() != Mode::off) versions_.push_back({change.pattern, change.deployed(), effective, signals_.size()});
    if (clock_.watermark) move_watermark(*clock_.watermark);  // the horizon is that of what runs now
}

void TenantLog::advance(std::optional<Timestamp> reached) {
    if (reached) reached_ = std::max(reached_.value_or(*reached), *reached);
    if (!clock_.held && reached_) move_watermark(*reached_ - lateness_);
}

void TenantLog::move_watermark(Timestamp to) {
    clock_.watermark = std::max(watermark(), to);
    Duration longest{};
    for (const auto& version : versions_) {
        if (!version.end && version.mode == Mode::production) longest = std::max(longest, version.pattern->within);
    }
    const Timestamp horizon = *clock_.watermark - std::min<Duration>(longest + std::chrono::hours{24}, std::chrono::days{16});
    clock_.horizon = std::max(clock_.horizon.value_or(horizon), horizon);
}

std::uint32_t TenantLog::number_of(const engine::EntityKey& entity) {
    const auto [known, is_new] = numbers_.try_emplace(entity, static_cast<std::uint32_t>(entities_.size()));
    if (is_new) entities_.push_back(entity);
    return known->second;
}

std::size_t TenantLog::late() const {
    return static_cast<std::size_t>(std::count_if(signals_.begin(), signals_.end(), [](const auto& one) { return one.late; }));
}

std::size_t TenantLog::behind_horizon() const {
    return static_cast<std::size_t>(std::count_if(signals_.begin(), signals_.end(), [](const auto& one) { return one.behind_horizon; }));
}

Signal TenantLog::read(const engine::Pattern& pattern, const Arrived& arrived) const {
    const engine::BorrowedSignal borrowed{arrived.signal};
    Signal signal;
    signal.ref = {arrived.signal.time, arrived.signal.source, arrived.signal.id};
    signal.count = arrived.signal.count;
    signal.late = arrived.late;
    signal.domain = arrived.signal.domain;
    signal.distinct.resize(pattern.stages.size());
    for (std::size_t stage = 0; stage < pattern.stages.size(); ++stage) {
        const auto& declared = pattern.stages[stage];
        if (!declared.match.matches(borrowed.view())) continue;
        signal.stages = static_cast<engine::StageMask>(signal.stages | 1U << stage);
        if (declared.repeat && declared.repeat->distinct) signal.distinct[stage] = engine::field_values(*declared.repeat->distinct, borrowed.view());
    }
    for (std::size_t condition = 0; condition < pattern.absent.size(); ++condition) {
        if (pattern.absent[condition].match.matches(borrowed.view())) signal.unwanted = static_cast<std::uint8_t>(signal.unwanted | 1U << condition);
    }
    std::vector<Mention> mentions;
    for (const auto& named : arrived.signal.entities) {
        mentions.push_back({named.kind, numbers_.at({named.kind, named.value}), named.identifies});
        signal.also_named.insert(mentions.back().number);
    }
    signal.entities = linking(mentions, signal.ref.time, decisions_);
    for (const auto& entity : signal.entities) signal.also_named.erase(entity.number);
    return signal;
}

std::vector<Signal> TenantLog::read_by(const Version& version) const {
    std::vector<Signal> signals;
    for (std::size_t i = 0; i < (version.end ? version.end->signals : signals_.size()); ++i) {
        auto signal = read(*version.pattern, signals_[i]);
        if (signal.stages != 0 || signal.unwanted != 0) signals.push_back(std::move(signal));
    }
    return signals;
}

std::vector<Finding> TenantLog::findings(const Version& version) const {
    auto found = oracle::findings(*version.pattern, version.effective_from, read_by(version), version.end ? version.end->watermark : watermark());
    if (version.end) {
        std::erase_if(found, [&](const Finding& finding) {
            return finding.waiting_until.has_value() || (version.end->taken_back && finding.end > *version.end->taken_back);
        });
    }
    return found;
}

bool TenantLog::saw_behind_horizon(const Version& version) const {
    for (std::size_t i = version.since; i < (version.end ? version.end->signals : signals_.size()); ++i) {
        if (!signals_[i].behind_horizon) continue;
        const auto signal = read(*version.pattern, signals_[i]);
        if (signal.stages != 0 || signal.unwanted != 0) return true;
    }
    return false;
}

std::vector<double> TenantLog::scores(const std::map<engine::SignalRef, std::size_t>& evidence) const {
    std::vector<std::pair<engine::Signal, std::size_t>> signals;
    for (const auto& [ref, stage] : evidence) {
        const auto it = std::find_if(signals_.begin(), signals_.end(),
                                     [&ref = ref](const Arrived& one) { return one.signal.source == ref.source && one.signal.id == ref.id; });
        signals.emplace_back(it->signal, stage);
    }
    std::vector<double> scores;
    for (auto rate = base_rates_.rbegin(); rate != base_rates_.rend(); ++rate) scores.push_back(score(signals, *rate));
    return scores;
}

double TenantLog::choices(const Version& version) const {
    const auto signals = read_by(version);
    double product = 1;
    for (std::size_t stage = 0; stage < version.pattern->stages.size(); ++stage)
        product *= static_cast<double>(occurrences(*version.pattern, stage, signals).size() + (version.pattern->stages[stage].optional ? 1 : 0));
    return product;
}

}  // namespace catenary::oracle
