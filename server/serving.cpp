#include "server/serving.hpp"

#include "server/lanes/lane_set.hpp"
#include "server/observe/process_metrics.hpp"

#include <optional>
#include <utility>
#include <vector>

namespace catenary::server {
namespace {

/// The answer of the lane that knows the tenant, or none's; empty when they cannot be asked.
template <class Answer, class Question>
std::optional<Answer> ask(LaneWorker& lanes, const Question& question) {
    std::optional<Answer> answer;
    const bool is_answered = lanes.ask([&](const LaneSet& set) {
        for (const auto& [number, lane] : set.all()) {
            answer = question(lane);
            if (answer) return;
        }
        answer.emplace();
    });
    return is_answered ? answer : std::nullopt;
}

pg::EngineView engine_view(LaneWorker& lanes) {
    pg::EngineView view;
    view.partials = [&lanes](engine::TenantId tenant, const engine::PartialWanted& wanted) {
        return ask<engine::PartialChains>(lanes, [&](const engine::Lane& lane) { return lane.partials(tenant, wanted); });
    };
    view.health = [&lanes](engine::TenantId tenant) { return ask<engine::TenantHealth>(lanes, [&](const engine::Lane& lane) { return lane.health(tenant); }); };
    return view;
}

/// What this process counts of limits that took effect.
struct Counting {
    Pipeline& pipeline;
    const tickets::Ticketing& ticketing;
    const net::HttpServer& http;
    const pg::JobStore& jobs;
    const pg::FindingStore& findings;
    const pg::PatternVersionStore& patterns;

    std::vector<std::pair<std::string, std::int64_t>> of(engine::TenantId tenant) const {
        const auto refused = http.refused(tenant);
        std::vector<std::pair<std::string, std::int64_t>> caps{
            {"sources_listed", pipeline.sources.unlisted(tenant)},
            {"quota", refused.by_quota},
            {"backtests_waiting", jobs.refused(tenant)},
            {"signals_too_large", refused.too_large},
            {"server_busy", refused.busy},
            {"correlation_lag", refused.stalled},
            {"storage_full", pipeline.committer.status().without_room},
            {"connectors_served", static_cast<std::int64_t>(ticketing.dispatcher().usage().unserved)},
            {"embedded_evidence", findings.cut_short(tenant)},
            {"catalogue_documents", patterns.refused(tenant)},
        };
        std::erase_if(caps, [](const auto& cap) { return cap.second == 0; });
        return caps;
    }
};

pg::ProcessView process_view(const Counting& counting) {
    Pipeline& pipeline = counting.pipeline;
    pg::ProcessView view;
    view.sources = [&pipeline](engine::TenantId tenant) { return pipeline.sources.of(tenant); };
    view.caps = [counting](engine::TenantId tenant) { return counting.of(tenant); };
    view.leader = [&pipeline](engine::TenantId) { return pipeline.lanes.status().text(); };
    view.not_ready = [&pipeline] { return pipeline.not_ready(); };
    return view;
}

net::HttpServerOptions http_options(const config::Settings& settings) {
    return {settings.host, settings.port, settings.io_threads, settings.worker_threads, settings.http};
}

}  // namespace

Serving::Serving(const config::Settings& settings, pg::Database& database, Pipeline& pipeline, tickets::Ticketing& ticketing, const observe::Log& log,
                 const api::http::CursorKey& cursor_key)
    : signals_{database.api(), &pipeline.committer},
      entities_{database.api(), std::chrono::seconds{1}, [&pipeline] { pipeline.lanes.nudge(); }},
      incidents_{database.api()},
      findings_{database.api(), settings.embedded_evidence},
      chains_{database.api(), engine_view(pipeline.lanes)},
      patterns_{database.api(), [&pipeline] { pipeline.lanes.nudge(); }, settings.catalogue_documents},
      control_{database.api(), pipeline.progress, [&pipeline] { pipeline.lanes.nudge(); }},
      settings_of_tenants_{database.api(), [&pipeline] { pipeline.lanes.nudge(); }},
      diagnostics_{database.api(), process_view({pipeline, ticketing, http_, jobs_, findings_, patterns_})},
      tenants_{database.api()},
      desk_{database.api(), ticketing.box(),
            [&ticketing](engine::TenantId tenant, const pg::ServedConnector& served, std::vector<tickets::Exchanged>& exchanged) {
                return ticketing.test(tenant, served, exchanged);
            },
            [&ticketing](engine::TenantId tenant, const pg::ServedConnector& served, const api::tickets::HookMessage& message) {
                return ticketing.read_hook(tenant, served, message);
            },
            [&ticketing] { ticketing.dispatcher().nudge(); }},
      jobs_{database.api()},
      services_{signals_,     entities_, incidents_, findings_, patterns_, control_,  settings_of_tenants_,
                diagnostics_, tenants_,  chains_,    desk_,     jobs_,     cursor_key},
      keys_{database.api()},
      replies_{database.api()},
      http_{http_options(settings), endpoints(settings, database, pipeline, ticketing), log} {}

net::Endpoints Serving::endpoints(const config::Settings& settings, pg::Database& database, Pipeline& pipeline, tickets::Ticketing& ticketing) {
    auto metrics = [this, &database, &pipeline, &ticketing] {
        return http_.usage_text() + observe::process_metrics({.committer = pipeline.committer.status(),
                                                              .lanes = pipeline.lanes.status(),
                                                              .pool = database.api().usage(),
                                                              .hand_off = pipeline.hand_off.usage(),
                                                              .keys = keys_.usage(),
                                                              .retention = pipeline.retention.usage(),
                                                              .backtests = pipeline.backtests.usage(),
                                                              .room = pipeline.room ? std::optional{pipeline.room->usage()} : std::nullopt,
                                                              .unlisted_sources = pipeline.sources.unlisted(),
                                                              .ticketing = ticketing.dispatcher().usage(),
                                                              .hooks = desk_.hook_usage()},
                                                             wall_clock());
    };
    return net::product_endpoints(settings.signals, services_, keys_, replies_, pipeline.committer, std::move(metrics),
                                  [&pipeline] { return pipeline.stalled(); });
}

}  // namespace catenary::server
