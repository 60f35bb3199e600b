#include "tests/simulator/world.hpp"

#include "api/documents/pattern_document.hpp"
#include "api/json/control_json.hpp"
#include "tests/property/lane_log.hpp"
#include "tests/simulator/client.hpp"
#include "tests/simulator/process.hpp"
#include "tests/simulator/stored_incidents.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <memory>
#include <variant>

namespace catenary::simulator {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::ordered_json;

constexpr int processes = 2;
constexpr std::int64_t most_steps = 400'000;

/// What else goes wrong: once in so many turns of a thread; 0: never.
struct Faults {
    int kill = 0, stop = 0, pause = 0, cut = 0, crash = 0, spoil = 0, drop_leaf = 0;
};

Weather weather_of(Dice& dice) {
    Weather weather;
    if (dice.percent(50)) weather.breaks = dice.pick(50, 500);
    if (dice.percent(60)) weather.commits_lost = dice.pick(5, 40);
    if (dice.percent(60)) weather.replies_lost = dice.pick(5, 40);
    if (dice.percent(60)) weather.commits_slow = dice.pick(5, 40);
    weather.slowest_call = dice.pick(100, 8'000);
    return weather;
}

Faults faults_of(Dice& dice) {
    Faults faults;
    if (dice.percent(70)) faults.kill = dice.pick(80, 600);
    if (dice.percent(30)) faults.stop = dice.pick(200, 800);
    if (dice.percent(60)) faults.pause = dice.pick(80, 600);
    if (dice.percent(40)) faults.cut = dice.pick(80, 600);
    if (dice.percent(25)) faults.crash = dice.pick(300, 1'500);
    if (dice.percent(40)) faults.spoil = dice.pick(100, 600);
    if (dice.percent(20)) faults.drop_leaf = dice.pick(100, 600);
    return faults;
}

Setup setup_of(Dice& dice) {
    Setup setup;
    setup.committer.group_items = static_cast<std::size_t>(dice.pick(1, 30));
    setup.committer.linger = std::chrono::milliseconds{dice.pick(0, 5)};
    setup.committer.hand_off_patience = std::chrono::milliseconds{dice.pick(0, 50)};
    setup.committer.dedup_bytes = 1U << 16U;
    setup.committer.dictionary_bytes = 1U << 16U;
    setup.lanes.chunk_entries = static_cast<std::size_t>(dice.pick(1, 25));
    setup.lanes.chunk_time = std::chrono::milliseconds{dice.pick(1, 60)};
    setup.lanes.poll = std::chrono::milliseconds{dice.pick(10, 60)};
    setup.lanes.follow_poll = std::chrono::milliseconds{dice.pick(20, 250)};
    setup.lanes.silence = std::chrono::milliseconds{dice.pick(200, 2'000)};
    setup.lanes.snapshot_entries = dice.percent(70) ? dice.pick(3, 30) : 0;
    setup.lanes.snapshots_kept = dice.pick(1, 3);
    setup.hand_off_bytes = dice.percent(70) ? 1U << 20U : 1;
    return setup;
}

/// A pattern as a tenant would post it.
std::string random_document(Dice& dice, const std::string& id) {
    constexpr std::array names{"a", "b", "c", "d"};
    Json stages = Json::array();
    for (int stage = dice.pick(1, 2); stage > 0; --stage) {
        stages.push_back({{"id", "s" + std::to_string(stage)}, {"match", {{"name", names[dice.index(names.size())]}}}});
    }
    const Json document{{"id", id},
                        {"title", "Posted"},
                        {"severity", "high"},
                        {"order", "sequence"},
                        {"within", dice.percent(50) ? "24h" : "5h"},
                        {"link", {{"same", Json::array({"account"})}}},
                        {"stages", stages}};
    return document.dump();
}

/// The body of a control entry as the log holds it.
struct ControlText {
    std::string operator()(const engine::PatternChange&) const { return {}; }  // holds its document: see World::append
    std::string operator()(const engine::EntityChange& change) const {
        api::ports::EntityRow row{change.entity};
        row.notes.link = change.link;
        return api::json::entity_control_text(row);
    }
    template <class Body>
    std::string operator()(const Body& other) const {
        return api::json::control_to_text(other);
    }
};

class World {
public:
    explicit World(std::uint32_t seed, bool is_upgraded = false)
        : dice_{seed},
          log_{property::random_lane_log(seed, dice_.pick(20, 60))},
          weather_{weather_of(dice_)},
          faults_{faults_of(dice_)},
          scheduler_{dice_},
          database_{scheduler_, dice_, weather_},
          client_{dice_, dice_.percent(40)} {
        database_.tenants = {{engine::TenantId{1}, std::int16_t{0}}, {engine::TenantId{2}, static_cast<std::int16_t>(dice_.pick(0, 1))}};
        for (const auto& [tenant, lane] : database_.tenants) database_.lanes[lane];
        wall_ = log_.entries.front().admitted;
        for (int i = 0; i < processes; ++i) {
            setups_.push_back(setup_of(dice_));
            skews_.push_back(std::chrono::milliseconds{dice_.pick(-2'000, 2'000)});
            places_.emplace_back();
        }
        if (is_upgraded) upgrade_at_ = static_cast<std::size_t>(dice_.pick(5, static_cast<int>(log_.entries.size())));
        for (int i = 0; i < processes; ++i) start(i);
    }
    ~World() {
        for (int i = 0; i < processes; ++i) end(i);
    }
    World(const World&) = delete;
    World& operator=(const World&) = delete;

    Verdict run() {
        auto broken = story();
        if (!broken) broken = client_.broken(database_);
        if (!broken) broken = upgraded_ ? otherwise_after_upgrade() : other_than_undisturbed();
        if (!broken && !upgraded_) broken = other_than_oracle();
        for (int i = 0; i < processes; ++i) end(i);
        figures_.entries = database_.next_position - 1;
        figures_.torn = database_.commits_torn;
        figures_.fenced = database_.fenced;
        figures_.collisions = database_.collisions;
        figures_.repeats = client_.duplicates;
        figures_.conflicts = client_.conflicts;
        figures_.findings = static_cast<std::int64_t>(database_.tables["finding"].size());
        return {std::move(broken), figures_};
    }

private:
    struct Place {
        std::unique_ptr<Process> process;
        Scheduler::Time back_at{};
    };

    engine::Timestamp wall() const { return wall_ + std::chrono::duration_cast<engine::Duration>(scheduler_.now() - wall_since_); }
    void set_wall(engine::Timestamp time) {
        if (time <= wall()) return;
        wall_ = time;
        wall_since_ = scheduler_.now();
    }

    void start(int number) {
        places_[static_cast<std::size_t>(number)].process = std::make_unique<Process>(
            number, setup(number), log_.shipped, database_, scheduler_, [this, number] { return wall() + skews_[static_cast<std::size_t>(number)]; });
    }
    const Setup& setup(int number) {
        auto& setup = setups_[static_cast<std::size_t>(number)];
        setup.lanes.owner = "process " + std::to_string(number);
        return setup;
    }

    /// The process is no more, from one moment to the next.
    void end(int number) {
        auto& place = places_[static_cast<std::size_t>(number)];
        if (!place.process) return;
        client_.forget(&place.process->committer());
        database_.end_sessions(number);
        scheduler_.kill(number);
        const auto status = place.process->lanes().status();
        figures_.restored += status.snapshots.started_from.value() > 0 ? 1 : 0;
        figures_.carried += status.beginning == server::Beginning::carried ? 1 : 0;
        place.process.reset();
    }

    void bring_back() {
        for (int i = 0; i < processes; ++i) {
            auto& place = places_[static_cast<std::size_t>(i)];
            if (place.process && place.process->stopping() && scheduler_.threads(i) == 0) {
                end(i);
                place.back_at = scheduler_.now() + std::chrono::milliseconds{dice_.pick(0, 1'000)};
            }
            if (!place.process && scheduler_.now() >= place.back_at) start(i);
        }
    }

    /// What is stored is of a version that is no longer there.
    void upgrade_if_due(std::size_t told) {
        if (told < upgrade_at_ || upgraded_ || !database_.made_by || !database_.any_results()) return;
        for (int i = 0; i < processes; ++i) end(i);
        database_.made_by->engine = "before";
        before_ = database_.tables;
        upgraded_ = true;
    }

    void misfortune() {
        const auto victim = dice_.pick(0, processes - 1);
        auto& place = places_[static_cast<std::size_t>(victim)];
        if (place.process && dice_.once_in(faults_.kill)) {
            ++figures_.kills;
            end(victim);
            place.back_at = scheduler_.now() + std::chrono::milliseconds{dice_.pick(0, 2'000)};
        }
        if (place.process && !place.process->stopping() && dice_.once_in(faults_.stop)) {
            ++figures_.kills;
            place.process->stop();
        }
        if (place.process && dice_.once_in(faults_.pause)) {
            ++figures_.pauses;
            scheduler_.pause(victim, scheduler_.now() + std::chrono::milliseconds{dice_.percent(10) ? dice_.pick(5'000, 15'000) : dice_.pick(100, 4'000)});
        }
        if (dice_.once_in(faults_.cut)) database_.break_some_session();
        if (dice_.once_in(faults_.crash)) {
            ++figures_.crashes;
            database_.crash(scheduler_.now() + std::chrono::milliseconds{dice_.pick(0, 1'000)});
        }
        if (dice_.once_in(faults_.spoil) && !database_.snapshots.empty()) {
            if (dice_.percent(30)) database_.snapshots.clear();
            else database_.snapshots.rbegin()->second.damaged = true;
        }
        if (dice_.once_in(faults_.drop_leaf) && database_.is_settled()) {
            const auto leaf = std::find_if(database_.leaves.begin(), database_.leaves.end(), [](const auto& one) { return one.second.empty(); });
            if (leaf != database_.leaves.end()) database_.leaves.erase(leaf);
        }
    }

    /// What people do comes into the log through some process; true when it did.
    bool append(const test::LogEntry& entry) {
        set_wall(entry.admitted);
        const auto& body = std::get<engine::ControlBody>(entry.body);
        std::string text;
        if (const auto* change = std::get_if<engine::PatternChange>(&body)) {
            if (document_.empty()) document_ = random_document(dice_, change->pattern->id);
            const auto version = static_cast<std::int32_t>(entry.position.value() + 1);
            text = api::json::pattern_control_text(change->pattern->id, version, change->pattern->mode, change->effective_from, document_);
            if (!database_.append_control(entry.tenant, wall(), "pattern", text)) return false;
            database_.posted.push_back({engine::Position{database_.next_position - 1}, {document_, version, engine::to_string(change->pattern->mode)}});
            document_.clear();
        } else {
            text = std::visit(ControlText{}, body);
            if (!database_.append_control(entry.tenant, wall(), std::string{api::json::control_kind(body)}, text)) return false;
        }
        auto& place = places_[dice_.index(processes)];
        if (place.process && dice_.percent(70)) place.process->lanes().nudge();
        return true;
    }

    server::Committer* choose(int preferred) {
        const auto number = preferred >= 0 ? preferred % processes : dice_.pick(0, processes - 1);
        auto& place = places_[static_cast<std::size_t>(number)];
        return place.process && !place.process->stopping() ? &place.process->committer() : nullptr;
    }

    std::optional<std::string> story() {
        std::size_t next = 0;
        const auto& entries = log_.entries;
        while (true) {
            if (++figures_.steps > most_steps) return "it does not come to an end";
            const bool is_told = next == entries.size() && client_.is_done();
            if (is_told) be_kind();
            else misfortune();
            upgrade_if_due(next);
            bring_back();
            database_.settle();
            if (next < entries.size() && dice_.percent(8)) {
                const auto& entry = entries[next];
                if (const auto* signal = std::get_if<engine::Signal>(&entry.body)) {
                    set_wall(entry.admitted);
                    client_.add(entry.tenant, *signal);
                    ++next;
                } else if (append(entry)) {
                    ++next;
                }
            }
            if (dice_.percent(15)) client_.send([this](int preferred) { return choose(preferred); });
            if (!scheduler_.step()) scheduler_.pass(10ms);
            for (const auto& place : places_) {
                if (!place.process) continue;
                const auto status = place.process->lanes().status();
                if (status.state == server::LeaderStatus::State::stopped && !status.reason.empty()) return "the lanes stopped: " + status.reason;
            }
            if (is_told && database_.caught_up() && database_.is_settled()) return std::nullopt;
        }
    }

    std::optional<std::string> otherwise_after_upgrade() const {
        auto broken = lost(before_, database_.tables);
        return broken ? broken : unsound(database_.tables);
    }

    /// Nothing more goes wrong, so that what was interrupted can be finished.
    void be_kind() {
        weather_ = {};
        faults_ = {};
        weather_.slowest_call = 500;
    }

    /// The same log read once by one process, nothing in its way.
    std::optional<std::string> other_than_undisturbed() {
        Dice calm{1};
        const Weather fair{.slowest_call = 50};
        Scheduler scheduler{calm};
        Database database{scheduler, calm, fair};
        database.copy_log(database_);
        Setup setup;
        setup.lanes.snapshot_entries = 0;
        std::optional<std::string> failure;
        {
            Process process{0, setup, log_.shipped, database, scheduler, [] { return engine::Timestamp{}; }};
            for (int steps = 0; !database.caught_up(); ++steps) {
                if (steps > 20'000) return "the log cannot be read again: " + process.lanes().status().text();
                scheduler.step();
            }
            database.end_sessions(0);
            scheduler.kill(0);
        }
        return difference(database_.tables, database.tables);
    }

    /// The same log read literally, as nobody would do it who has to be done in time.
    std::optional<std::string> other_than_oracle() {
        auto broken = other_than_defined(database_, log_.shipped, figures_.compared);
        ++figures_.held;
        figures_.held_whole += figures_.compared.partly + figures_.compared.left_out == 0 ? 1 : 0;
        return broken;
    }

    /// Positions of records depend on where transactions ended, sizes on what was restored; everything else is the engine's word.
    static std::optional<std::string> difference(const Tables& found, const Tables& expected) {
        const auto plain = [](const Tables& tables, const std::string& name) {
            std::map<std::string, std::string> rows;
            const auto table = tables.find(name);
            if (table == tables.end()) return rows;
            for (auto [key, row] : table->second) {
                if (name != "incident_activity") row.erase("position");
                row.erase("state_bytes");
                rows[key] = row.dump();
            }
            return rows;
        };
        for (const auto* name : {"finding", "finding_evidence", "incident", "incident_activity", "late_signal", "near_miss", "tenant_status"}) {
            const auto left = plain(found, name);
            const auto right = plain(expected, name);
            for (const auto& [key, row] : left) {
                const auto other = right.find(key);
                if (other == right.end()) return fmt::format("{} {} would not be there undisturbed: {}", name, key, row);
                if (other->second != row) return fmt::format("{} {}is\n  {}\nundisturbed\n  {}", name, key, row, other->second);
            }
            for (const auto& [key, row] : right) {
                if (!left.contains(key)) return fmt::format("{} {}is missing: {}", name, key, row);
            }
        }
        return std::nullopt;
    }

    Dice dice_;
    property::LaneLog log_;
    Weather weather_;
    Faults faults_;
    Scheduler scheduler_;
    Database database_;
    Client client_;
    engine::Timestamp wall_;
    Scheduler::Time wall_since_ = scheduler_.now();
    std::vector<Setup> setups_;
    std::vector<std::chrono::milliseconds> skews_;
    std::vector<Place> places_;
    std::string document_;  // of the entry that waits to be appended
    std::size_t upgrade_at_ = std::numeric_limits<std::size_t>::max();
    bool upgraded_ = false;
    Tables before_;  // as another version left them
    Figures figures_;
};

}  // namespace

Figures& Figures::operator+=(const Figures& other) {
    entries += other.entries;
    steps += other.steps;
    kills += other.kills;
    pauses += other.pauses;
    torn += other.torn;
    fenced += other.fenced;
    collisions += other.collisions;
    crashes += other.crashes;
    repeats += other.repeats;
    conflicts += other.conflicts;
    restored += other.restored;
    carried += other.carried;
    findings += other.findings;
    held += other.held;
    held_whole += other.held_whole;
    compared += other.compared;
    return *this;
}

std::string Figures::text() const {
    auto words = fmt::format(
        "{} entries, {} findings, {} kills, {} pauses, {} torn commits, {} fenced writers, {} collisions, {} database crashes, {} duplicates, {} conflicts, {} "
        "starts from snapshots, {} that carried over",
        entries, findings, kills, pauses, torn, fenced, collisions, crashes, repeats, conflicts, restored, carried);
    if (held == 0) return words;
    return words + fmt::format(
                       "; {} runs held to the oracle, {} of them wholly ({} %): {} versions of patterns wholly, {} partly, {} not at all, {} findings, "
                       "incidents of {} tenants",
                       held, held_whole, 100 * held_whole / held, compared.whole, compared.partly, compared.left_out, compared.findings, compared.grouped);
}

Verdict run(std::uint32_t seed) { return World{seed}.run(); }
Verdict run_upgraded(std::uint32_t seed) { return World{seed, true}.run(); }

}  // namespace catenary::simulator
