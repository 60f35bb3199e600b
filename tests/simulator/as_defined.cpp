#include "tests/simulator/as_defined.hpp"

#include "api/json/record_text.hpp"
#include "api/json/time_json.hpp"
#include "engine/matching/finding_id.hpp"
#include "tests/oracle/tenant_log.hpp"
#include "tests/simulator/stored_log.hpp"

#include <fmt/format.h>
#include <boost/uuid/uuid_io.hpp>

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

namespace catenary::simulator {
namespace {

using engine::SignalRef;
using engine::Timestamp;
using Json = nlohmann::ordered_json;
using Rows = Tables::mapped_type;

// What the brute force can take without the whole suite growing by more than half.
constexpr std::size_t most_signals = 64;
constexpr double most_choices = 20'000;

const Rows& rows_of(const Tables& tables, const std::string& name) {
    static const Rows none;
    const auto found = tables.find(name);
    return found == tables.end() ? none : found->second;
}

std::string text(const Json& row, const char* column) { return row.at(column).get<std::string>(); }
std::int64_t number(const Json& row, const char* column) { return row.at(column).get<std::int64_t>(); }
std::optional<Timestamp> time(const Json& row, const char* column) {
    return row.at(column).is_null() ? std::nullopt : api::json::parse_time(text(row, column));
}
std::string said(const std::optional<Timestamp>& time) { return time ? api::json::format_time(*time) : "never"; }

/// A finding in the words of the store.
struct Seen {
    Timestamp start;
    Timestamp end;
    std::optional<Timestamp> waiting_until;
    std::set<std::string> principals;
    std::map<SignalRef, std::string> evidence;  ///< and the id of the stage that it serves
    std::set<std::pair<SignalRef, std::size_t>> late_answers;
    bool more_late_answers = false;
    friend auto operator<=>(const Seen&, const Seen&) = default;
};

std::string said(const Seen& finding) {
    auto words = fmt::format("\n  {} .. {}", api::json::format_time(finding.start), api::json::format_time(finding.end));
    if (finding.waiting_until) words += " waiting until " + said(finding.waiting_until);
    for (const auto& principal : finding.principals) words += " " + principal;
    words += ":";
    for (const auto& [ref, stage] : finding.evidence) words += fmt::format(" {}/{}@{}", ref.source, ref.id, stage);
    for (const auto& [ref, condition] : finding.late_answers) words += fmt::format(", late {}/{} of {}", ref.source, ref.id, condition);
    return words;
}

Seen seen_as(const oracle::Finding& finding, const engine::Pattern& pattern, const oracle::TenantLog& log) {
    Seen seen{finding.start, finding.end, finding.waiting_until, {}, {}, finding.late_answers, finding.more_late_answers};
    for (const auto principal : finding.principals) seen.principals.insert(log.entity(principal).kind + ':' + log.entity(principal).value);
    for (const auto& [ref, stage] : finding.evidence) seen.evidence.emplace(ref, pattern.stages.at(stage).id);
    return seen;
}

struct Stored {
    Seen finding;
    std::string id;
    bool settled = false;  ///< as it was when its incident was closed or ended: no longer what matching would say
};

class TenantResults {
public:
    TenantResults(const Tables& tables, engine::TenantId tenant) : tables_{tables}, tenant_{tenant} {
        for (const auto& [key, row] : rows_of(tables, "incident_activity")) {
            if (!is_own(row) || row.at("what") != "status_changed") continue;
            const auto detail = text(row, "detail");
            if (detail.find("closed") != std::string::npos) closed_once_.insert(number(row, "number"));
            else reopened_ = reopened_ || detail.starts_with("→");  // of a stored incident, which says no more
            reopened_ = reopened_ || detail.starts_with("closed →");
        }
        for (const auto& [key, row] : rows_of(tables, "finding_evidence")) {
            if (is_own(row))
                evidence_[text(row, "finding")].emplace(SignalRef{time(row, "time").value(), text(row, "source"), text(row, "source_id")}, text(row, "stage"));
        }
    }

    const Json* status() const {
        for (const auto& [key, row] : rows_of(tables_, "tenant_status")) {
            if (is_own(row)) return &row;
        }
        return nullptr;
    }

    /// Those that are not superseded. `forgotten`: what ended before it may have been in memory no more when a signal came for it.
    std::vector<Stored> findings(const oracle::Version& version, std::optional<Timestamp> forgotten) const {
        std::vector<Stored> all;
        for (const auto& [key, row] : rows_of(tables_, "finding")) {
            const bool is_of = is_own(row) && row.at("pattern") == version.pattern->id && row.at("version") == version.pattern->version;
            if (!is_of || row.at("state") == "superseded") continue;
            Stored stored{{time(row, "start_time").value(), time(row, "end_time").value(), time(row, "waiting_until"), {}, {}, {}, false}, text(row, "id")};
            for (const auto& principal : row.at("principal_keys")) stored.finding.principals.insert(principal.get<std::string>());
            const auto evidence = evidence_.find(stored.id);
            if (evidence != evidence_.end()) stored.finding.evidence = evidence->second;
            if (!row.at("absence").is_null()) read_absence(text(row, "absence"), stored.finding);
            const bool was_closed = !row.at("incident").is_null() && (reopened_ || closed_once_.contains(number(row, "incident")));
            stored.settled = was_closed || (forgotten && stored.finding.end < *forgotten);
            all.push_back(std::move(stored));
        }
        return all;
    }

    /// Whether the rows say of themselves what the version runs as and in which state its findings are.
    std::optional<std::string> misnamed(const oracle::Version& version) const {
        for (const auto& [key, row] : rows_of(tables_, "finding")) {
            if (!is_own(row) || row.at("pattern") != version.pattern->id || row.at("version") != version.pattern->version) continue;
            if (row.at("mode") != engine::to_string(version.mode)) return "a finding of another mode than its version: " + row.dump();
            if (row.at("state") == "superseded") continue;
            if ((row.at("state") == "waiting") != !row.at("waiting_until").is_null()) return "a finding waits and does not say until when: " + row.dump();
        }
        return std::nullopt;
    }

private:
    bool is_own(const Json& row) const { return row.at("tenant") == tenant_.value(); }
    static void read_absence(const std::string& text, Seen& finding) {
        engine::FindingRecord record;
        api::json::read_absence(text, record);
        for (const auto& answer : record.late_answers) {
            const auto condition = std::find(record.absences.begin(), record.absences.end(), answer.absence) - record.absences.begin();
            finding.late_answers.emplace(answer.signal, static_cast<std::size_t>(condition));
        }
        finding.more_late_answers = record.more_late_answers;
    }

    const Tables& tables_;
    const engine::TenantId tenant_;
    std::set<std::int64_t> closed_once_;
    bool reopened_ = false;
    std::map<std::string, std::map<SignalRef, std::string>> evidence_;
};

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

struct Difference {
    std::vector<Seen> missing;
    std::vector<Seen> unwanted;
};

/// What is settled need not be wanted any more; what is wanted in its place has its evidence stored, if not in one finding. What goes on from it may have come to
/// say the same once more.
Difference difference(std::vector<Seen> wanted, const std::vector<Stored>& stored) {
    Difference differs;
    std::set<SignalRef> settled;
    for (const bool is_settled : {false, true}) {
        for (const auto& one : stored) {
            if (one.settled != is_settled) continue;
            const auto it = std::find(wanted.begin(), wanted.end(), one.finding);
            if (it != wanted.end()) wanted.erase(it);
            else if (!is_settled) differs.unwanted.push_back(one.finding);
            if (!is_settled) continue;
            for (const auto& [ref, stage] : one.finding.evidence) settled.insert(ref);
        }
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
    if (auto broken = results.misnamed(version)) return broken;
    const auto defined = log.findings(version);
    std::vector<Seen> wanted;
    for (const auto& finding : defined) wanted.push_back(seen_as(finding, *version.pattern, log));
    const auto stored = results.findings(version, saw_behind_horizon ? log.clock().horizon : std::nullopt);
    const auto [missing, unwanted] = difference(wanted, stored);
    const auto about = fmt::format("tenant {}, version {} of {}", tenant.value(), version.pattern->version, version.pattern->id);
    if (!missing.empty() || !unwanted.empty()) {
        auto words = about + ": by the definitions there is also";
        for (const auto& finding : missing) words += said(finding);
        words += "\nand there is not";
        for (const auto& finding : unwanted) words += said(finding);
        return words;
    }
    compared.findings += std::count_if(stored.begin(), stored.end(), [](const Stored& one) { return !one.settled; });
    if (std::any_of(stored.begin(), stored.end(), [](const Stored& one) { return one.settled; })) {
        ++compared.partly;
        return std::nullopt;
    }
    ++compared.whole;
    if (auto other = other_names(tenant, log, version, defined, stored)) return about + ": " + *other;
    return std::nullopt;
}

}  // namespace

Compared& Compared::operator+=(const Compared& other) {
    whole += other.whole;
    partly += other.partly;
    left_out += other.left_out;
    findings += other.findings;
    return *this;
}

std::optional<std::string> other_than_defined(Database& database, const engine::Catalogue& shipped, Compared& compared) {
    for (const auto& [tenant, entries] : stored_log(database, shipped)) {
        const oracle::TenantLog log{shipped, entries};
        const TenantResults results{database.tables, tenant};
        if (results.status() == nullptr) return fmt::format("tenant {} has entries and no counters", tenant.value());
        if (auto other = other_counters(log, *results.status())) return fmt::format("tenant {}: {}", tenant.value(), *other);
        for (const auto& version : log.versions()) {
            if (auto other = compare(tenant, log, version, results, compared)) return other;
        }
    }
    return std::nullopt;
}

}  // namespace catenary::simulator
