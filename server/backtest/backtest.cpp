#include "server/backtest/backtest.hpp"

#include "api/documents/pattern_document.hpp"
#include "api/json/control_json.hpp"
#include "engine/lane/deployment.hpp"
#include "server/backtest/finding_tally.hpp"
#include "server/backtest/production_findings.hpp"
#include "server/backtest/signal_scan.hpp"
#include "server/ingest/pq_values.hpp"
#include "server/lanes/lane_set.hpp"
#include "server/lanes/pq_name_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <thread>
#include <utility>

namespace catenary::server {
namespace {

using engine::Timestamp;
using namespace std::chrono_literals;

constexpr std::size_t most_shown = 25;
constexpr std::size_t most_name_bytes = 64U << 20U;
constexpr std::int16_t lane_number = 0;
constexpr auto courtesy = 10ms;  ///< between two chunks while there is more urgent work

// Days are sorted where they are read; a day that does not fit goes to disk. Nothing of this may keep more than a core of the database busy.
constexpr const char* settings_sql =
    "SET jit = off; SET work_mem = '64MB'; SET max_parallel_workers_per_gather = 0; SET default_transaction_read_only = on; SET statement_timeout = 0";

PqConnection connected(const std::string& dsn) {
    PqConnection connection{dsn};
    connection.run(settings_sql);
    return connection;
}

/// Thrown where one more finding would be too many; ends the reading.
struct TooManyFindings {};

class Run {
public:
    Run(engine::TenantId tenant, const api::ports::BacktestRequest& request, const BacktestSurroundings& around)
        : tenant_{tenant},
          around_{around},
          pattern_{std::make_shared<const engine::Pattern>(api::documents::stored_pattern(request.document_json, request.version, engine::Mode::production))},
          side_{connected(around.dsn)},
          name_source_{side_},
          names_{name_source_, most_name_bytes} {
        report_.pattern = request.pattern;
        report_.version = request.version;
        report_.from = request.from;
        report_.to = request.to;
        const auto needed = engine::reach(*pattern_);
        report_.read_from = request.from < engine::from_micros(0) + needed ? engine::from_micros(0) : request.from - needed;
    }

    api::json::BacktestReport run() {
        around_.interrupt.throw_if_asked();
        prepare_lane();
        read_signals();
        report_.findings_total = tally_.live();
        report_.findings = tally_.first(most_shown);
        compare_with_production(side_, around_.interrupt, tenant_, tally_, report_);
        return std::move(report_);
    }

private:
    void apply(const engine::ControlBody& body) { lanes_.of(lane_number).apply(next(), tenant_, report_.from, body, {}); }
    engine::Position next() { return engine::Position{++position_}; }

    /// Never beyond where the live one is: an absence that is still open there is open here.
    void move_watermark(Timestamp to) {
        if (newest_watermark_) apply(engine::WatermarkCall{std::min(to, *newest_watermark_), true});
    }

    void prepare_lane() {
        const std::vector<PqParameter> tenant{int4_value(tenant_.value())};
        const auto status = side_.query("SELECT watermark FROM tenant_status WHERE tenant = $1 AND watermark IS NOT NULL", tenant);
        if (status.rows() > 0) newest_watermark_ = from_postgres(status.int8(0, 0));
        apply(engine::WatermarkCall{report_.read_from, true});  // holds it from the first signal on
        const auto settings = side_.query("SELECT body FROM tenant_setting WHERE tenant = $1", tenant);
        for (int row = 0; row < settings.rows(); ++row) {
            const auto entry = api::json::control_from_text("setting", settings.text(row, 0));
            if (!entry) throw std::invalid_argument("damaged settings: " + entry.error().detail);
            apply(*entry);
        }
        const auto rules = side_.query("SELECT kind, value, link FROM entity_note WHERE tenant = $1 AND link <> 'usual'", tenant);
        for (int row = 0; row < rules.rows(); ++row) {
            const auto rule = engine::link_rule_from(rules.text(row, 2)).value_or(engine::LinkRule::usual);
            apply(engine::EntityChange{{std::string{rules.text(row, 0)}, std::string{rules.text(row, 1)}}, rule});
        }
        apply(engine::PatternChange{pattern_, report_.from - engine::Duration{1}});  // in force is what completes later than that
    }

    void read_signals() {
        auto connection = connected(around_.dsn);
        SignalScan scan{connection, around_.interrupt, tenant_, report_.read_from, report_.to, *pattern_};
        const auto days = scan.days();
        std::int64_t total = 0;
        for (const auto& day : days) total += day.signals;
        around_.progress.total = total;
        try {
            for (const auto& day : days) read_day(scan, day);
            move_watermark(report_.to);
            take_effects();
        } catch (const TooManyFindings&) {
            report_.signals += day_read_;
            report_.stopped = fmt::format("more than {} findings; narrow the pattern or the interval", FindingTally::most_findings);
        }
    }

    void read_day(SignalScan& scan, const SignalScan::DayOfSignals& day) {
        const auto take = [this](std::span<StoredRow> rows) { take_rows(rows); };
        day_signals_ = day.signals;
        day_read_ = 0;
        move_watermark(std::max(start_of(day.day), report_.read_from));
        scan.read(day.day, SignalScan::Late::no, take);
        if (scan.has_late(day.day)) {
            move_watermark(start_of(day.day + 1));
            scan.read(day.day, SignalScan::Late::yes, take);
        }
        day_read_ = 0;
        report_.signals += day.signals;
        around_.progress.read = report_.signals;
    }

    void take_rows(std::span<StoredRow> rows) {
        names_.load(rows);
        for (auto& row : rows) row.position = next();  // the order in which this lane sees them
        lanes_.apply(lane_number, rows, names_);
        take_effects();
        // What was sifted out in the database counts as read once its day is over.
        day_read_ = std::min(day_signals_, day_read_ + static_cast<std::int64_t>(rows.size()));
        around_.progress.read = report_.signals + day_read_;
        if (around_.is_busy && around_.is_busy()) std::this_thread::sleep_for(courtesy);
    }

    void take_effects() {
        for (const auto& effects : lanes_.of(lane_number).take_effects()) tally_.take(effects);
        if (tally_.full()) throw TooManyFindings{};
    }

    engine::TenantId tenant_;
    const BacktestSurroundings& around_;
    std::shared_ptr<const engine::Pattern> pattern_;
    api::json::BacktestReport report_;
    PqConnection side_;  ///< for what is asked while signals come in
    PqNameSource name_source_;
    StoredNames names_;
    LaneSet lanes_{engine::Catalogue{}};
    FindingTally tally_;
    std::optional<Timestamp> newest_watermark_;
    std::int64_t position_ = 0;
    std::int64_t day_signals_ = 0;
    std::int64_t day_read_ = 0;
};

}  // namespace

api::json::BacktestReport run_backtest(engine::TenantId tenant, const api::ports::BacktestRequest& request, const BacktestSurroundings& around) {
    try {
        return Run{tenant, request, around}.run();
    } catch (const PqError&) {
        around.interrupt.throw_if_asked();  // the statement was cancelled for it
        throw;
    }
}

}  // namespace catenary::server
