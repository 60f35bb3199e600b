#include "tests/simulator/as_defined.hpp"

#include "api/json/time_json.hpp"
#include "engine/matching/finding_id.hpp"
#include "tests/oracle/incidents.hpp"
#include "tests/oracle/tenant_log.hpp"
#include "tests/simulator/stored_findings.hpp"
#include "tests/simulator/stored_log.hpp"

#include <fmt/format.h>
#include <boost/uuid/uuid_io.hpp>

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>
#include <vector>

namespace catenary::simulator {
namespace {

using engine::SignalRef;
using engine::Timestamp;
using Json = nlohmann::ordered_json;

// What the brute force can take without being noticed: some 0.1 s.
constexpr std::size_t most_signals = 64;
constexpr double most_choices = 1'000'000;

std::int64_t number(const Json& row, const char* column) { return row.at(column).get<std::int64_t>(); }
std::optional<Timestamp> time(const Json& row, const char* column) {
    return row.at(column).is_null() ? std::nullopt : api::json::parse_time(row.at(column).get<std::string>());
}

Seen seen_as(const oracle::Finding& finding, const engine::Pattern& pattern, const oracle::TenantLog& log) {
    Seen seen{finding.start, finding.end, finding.waiting_until, {}, {}, finding.late_answers, finding.more_late_answers};
    for (const auto principal : finding.principals) seen.principals.insert(log.entity(principal).kind + ':' + log.entity(principal).value);
    for (const auto& [ref, stage] : finding.evidence) seen.evidence.emplace(ref, pattern.stages.at(stage).id);
    return seen;
}

/// Stored of a version. Settled: it may be as it was when its incident was closed or ended, not as matching would have it.
struct Stored : StoredFinding {
    bool settled = false;
};

/// `forgotten`: what ended before it may have been in memory no more when a signal came for it.
std::vector<Stored> stored_of(const oracle::Version& version, const TenantResults& results, std::optional<Timestamp> forgotten) {
    std::vector<Stored> all;
    for (const auto& one : results.findings()) {
        if (one.pattern != version.pattern->id || one.version != version.pattern->version) continue;
        all.push_back({one, one.was_closed || (forgotten && one.finding.end < *forgotten)});
    }
    return all;
}

/// Rows that belong to no version that ran, or say another mode than it runs in, or another state than they are in.
std::optional<std::string> misnamed(const oracle::TenantLog& log, const TenantResults& results) {
    for (const auto& one : results.findings()) {
        const auto version = std::find_if(log.versions().begin(), log.versions().end(),
                                          [&](const auto& it) { return it.pattern->id == one.pattern && it.pattern->version == one.version; });
        if (version == log.versions().end()) return fmt::format("{} is of version {} of {}, which never ran", said(one.finding), one.version, one.pattern);
        if (one.mode != engine::to_string(version->mode)) return fmt::format("{} is {} and its version is not", said(one.finding), one.mode);
        if (one.state != (one.finding.waiting_until ? "waiting" : "open")) return fmt::format("{} is {}", said(one.finding), one.state);
    }
    return std::nullopt;
}

std::optional<std::string> other_counters(const oracle::TenantLog& log, const Json& status) {
    const auto& clock = log.clock();
    const auto is_other = [&](const char* column, std::size_t defined) { return number(status, column) != static_cast<std::int64_t>(defined); };
    if (time(status, "watermark") != clock.watermark || time(status, "newest") != clock.newest || status.at("held") != clock.held)
        return fmt::format("the definitions make the watermark {} and the newest signal {}: {}", said(clock.watermark), said(clock.newest), status.dump());
    if (is_other("signals", log.signals()) || is_other("late", log.late()) || is_other("behind_horizon", log.behind_horizon()))
        return fmt::format("by the definitions there are {} signals, {} late, {} behind the horizon: {}", log.signals(), log.late(), log.behind_horizon(),
                           status.dump());
    return std::nullopt;
}

/// The id of a finding with that anchor (semantics.md 4.3).
std::string id_of(engine::TenantId tenant, const engine::Pattern& pattern, const SignalRef& anchor) {
    engine::SignalWindow window;
    engine::SignalView view;
    view.source = anchor.source;
    view.id = anchor.id;
    view.time = anchor.time;
    const auto handle = window.add(view, false, engine::Origin{0}, engine::Symbol{0}, engine::Symbol{0}, engine::Symbol{0}, {});
    return boost::uuids::to_string(engine::finding_id(fmt::format("{}/{}/{}", tenant.value(), pattern.id, pattern.version), window, {handle}).value());
}

/// Of what opened without late signals, and does not have the anchor of what else may be called by it.
std::optional<std::string> other_names(engine::TenantId tenant, const oracle::TenantLog& log, const oracle::Version& version,
                                       const std::vector<oracle::Finding>& defined, const std::vector<Stored>& stored) {
    for (const auto& finding : defined) {
        if (finding.opened_late || (finding.waiting_until && (version.pattern->required_domains || defined.size() > 1))) continue;
        const auto id = id_of(tenant, *version.pattern, finding.anchor);
        const auto seen = seen_as(finding, *version.pattern, log);
        if (std::none_of(stored.begin(), stored.end(), [&](const Stored& one) { return one.id == id && one.finding == seen; }))
            return fmt::format("{} is not named after {}/{}", said(seen), finding.anchor.source, finding.anchor.id);
    }
    return std::nullopt;
}

/// What ended before the horizon may have been forgotten when the base rate changed.
std::optional<std::string> other_scores(const oracle::TenantLog& log, const engine::Pattern& pattern, const std::vector<Stored>& stored) {
    for (const auto& one : stored) {
        if (one.settled) continue;
        std::map<SignalRef, std::size_t> evidence;
        for (const auto& [ref, id] : one.finding.evidence) {
            const auto is_it = [&id = id](const engine::Stage& stage) { return stage.id == id; };
            evidence.emplace(ref, static_cast<std::size_t>(std::find_if(pattern.stages.begin(), pattern.stages.end(), is_it) - pattern.stages.begin()));
        }
        auto scores = log.scores(evidence);
        if (!log.clock().horizon || one.finding.end >= *log.clock().horizon) scores.resize(1);
        if (std::any_of(scores.begin(), scores.end(), [&](double score) { return std::abs(score - one.score) < 1e-9; })) continue;
        return fmt::format("{} has the score {}, and by the definitions {}", said(one.finding), one.score, fmt::join(scores, " or "));
    }
    return std::nullopt;
}

/// Whether `one`, which goes on from `settled`, is what is wanted but for evidence that it repeats as it was there.
bool repeats(const Seen& one, const Seen& settled, const Seen& wanted) {
    Seen same = one;
    same.evidence = wanted.evidence;
    if (same != wanted) return false;
    const auto has = [](const Seen& finding, const std::pair<const SignalRef, std::string>& evidence) {
        const auto known = finding.evidence.find(evidence.first);
        return known != finding.evidence.end() && known->second == evidence.second;
    };
    return std::all_of(wanted.evidence.begin(), wanted.evidence.end(), [&](const auto& evidence) { return one.evidence.contains(evidence.first); }) &&
           std::all_of(one.evidence.begin(), one.evidence.end(), [&](const auto& evidence) { return has(wanted, evidence) || has(settled, evidence); });
}

struct Difference {
    std::vector<Seen> missing;
    std::vector<Seen> unwanted;
};

/// What is settled need not be wanted any more; what is wanted in its place has its evidence stored, if not in one finding. What goes on from it repeats its
/// evidence, and may have come to say the same once more.
Difference difference(std::vector<Seen> wanted, const std::vector<Stored>& stored) {
    Difference differs;
    std::set<SignalRef> settled;
    for (const auto& one : stored) {
        if (one.settled) continue;
        auto it = std::find(wanted.begin(), wanted.end(), one.finding);
        if (it == wanted.end()) {
            it = std::find_if(wanted.begin(), wanted.end(), [&](const Seen& candidate) {
                return std::any_of(stored.begin(), stored.end(),
                                   [&](const Stored& other) { return other.settled && repeats(one.finding, other.finding, candidate); });
            });
        }
        if (it != wanted.end()) wanted.erase(it);
        else differs.unwanted.push_back(one.finding);
    }
    for (const auto& one : stored) {
        if (!one.settled) continue;
        const auto it = std::find(wanted.begin(), wanted.end(), one.finding);
        if (it != wanted.end()) wanted.erase(it);
        for (const auto& [ref, stage] : one.finding.evidence) settled.insert(ref);
    }
    for (auto& one : wanted) {
        const bool is_stored = std::all_of(one.evidence.begin(), one.evidence.end(), [&](const auto& evidence) { return settled.contains(evidence.first); });
        if (!is_stored) differs.missing.push_back(std::move(one));
    }
    return differs;
}

std::optional<std::string> compare(engine::TenantId tenant, const oracle::TenantLog& log, const oracle::Version& version, const TenantResults& results,
                                   Compared& compared) {
    const Json& status = *results.status();
    const bool saw_behind_horizon = log.saw_behind_horizon(version);
    const bool is_unfinished = number(status, "rematch_backlog") + number(status, "rematches_cut") + number(status, "rematches_given_up") > 0;
    if ((saw_behind_horizon && is_unfinished) || log.read_by(version).size() > most_signals || log.choices(version) > most_choices) {
        ++compared.left_out;
        return std::nullopt;
    }
    const auto defined = log.findings(version);
    std::vector<Seen> wanted;
    for (const auto& finding : defined) wanted.push_back(seen_as(finding, *version.pattern, log));
    const auto stored = stored_of(version, results, saw_behind_horizon ? log.clock().horizon : std::nullopt);
    const auto [missing, unwanted] = difference(wanted, stored);
    const auto about = fmt::format("tenant {}, version {} of {}", tenant.value(), version.pattern->version, version.pattern->id);
    if (!missing.empty() || !unwanted.empty()) {
        auto words = about + ": by the definitions there is also";
        for (const auto& finding : missing) words += said(finding);
        words += "\nand there is not";
        for (const auto& finding : unwanted) words += said(finding);
        return words;
    }
    if (auto other = other_scores(log, *version.pattern, stored)) return about + ": " + *other;
    compared.findings += std::count_if(stored.begin(), stored.end(), [](const Stored& one) { return !one.settled; });
    if (std::any_of(stored.begin(), stored.end(), [](const Stored& one) { return one.settled; })) {
        ++compared.partly;
        return std::nullopt;
    }
    ++compared.whole;
    if (auto other = other_names(tenant, log, version, defined, stored)) return about + ": " + *other;
    return std::nullopt;
}

/// Which findings are in one incident, where nobody had a hand in it.
std::optional<std::string> other_incidents(const TenantResults& results, std::int64_t daily_limit) {
    std::vector<oracle::Reported> reported;
    std::map<std::int64_t, std::set<std::string>> stored;
    for (const auto& one : results.findings()) {
        if (one.mode != "production" || one.state == "waiting") continue;
        if (!one.incident) return fmt::format("{} is in no incident", said(one.finding));
        stored[*one.incident].insert(one.id);
        auto& finding = reported.emplace_back(oracle::Reported{one.pattern, one.finding.start, one.id, one.finding.end, {}});
        for (const auto& [ref, stage] : one.finding.evidence) finding.evidence.insert(ref);
    }
    auto defined = oracle::incidents(std::move(reported), daily_limit);
    for (const auto& [number, findings] : stored) {
        if (defined.erase(findings) == 0)
            return fmt::format("incident {} has findings that the definitions do not put together: {}", number, fmt::join(findings, ", "));
    }
    return std::nullopt;
}

}  // namespace

Compared& Compared::operator+=(const Compared& other) {
    whole += other.whole;
    partly += other.partly;
    left_out += other.left_out;
    findings += other.findings;
    grouped += other.grouped;
    return *this;
}

std::optional<std::string> other_than_defined(Database& database, const engine::Catalogue& shipped, Compared& compared) {
    for (const auto& [tenant, entries] : stored_log(database, shipped)) {
        const oracle::TenantLog log{shipped, entries};
        const TenantResults results{database.tables, tenant};
        if (results.status() == nullptr) return fmt::format("tenant {} has entries and no counters", tenant.value());
        if (auto other = other_counters(log, *results.status())) return fmt::format("tenant {}: {}", tenant.value(), *other);
        if (auto other = misnamed(log, results)) return fmt::format("tenant {}: {}", tenant.value(), *other);
        Compared of_tenant;
        for (const auto& version : log.versions()) {
            if (auto other = compare(tenant, log, version, results, of_tenant)) return other;
        }
        if (of_tenant.partly + of_tenant.left_out == 0 && !results.grouped_by_hand() && log.daily_incidents()) {
            ++of_tenant.grouped;
            if (auto other = other_incidents(results, *log.daily_incidents())) return fmt::format("tenant {}: {}", tenant.value(), *other);
        }
        compared += of_tenant;
    }
    return std::nullopt;
}

}  // namespace catenary::simulator
