// Lists and details over HTTP beside the bare prepared query that returns the same rows, with a million signals in one day and a thousand incidents stored.
// usage: CATENARY_PROGRAM=build/bench/catenary read_bench [signals] [incidents] [rounds] [signals a second posted meanwhile]

#include "server/ingest/pq_connection.hpp"
#include "tests/bench/bare_copy.hpp"
#include "tests/bench/load_client.hpp"
#include "tests/bench/signal_generator.hpp"
#include "tests/support/server_process.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace catenary;
using Steady = std::chrono::steady_clock;

namespace {

/// Of a tenant: the n-th signal {3} ms after the one before, about one of 20,000 hosts, one of 19,997 accounts and one of 97 addresses; every 50,000th about
/// account "rare" and none of those hosts; definitions by n % 100. Then incidents with ten evidence signals each. {0} tenant, {1} signals, {2} incidents.
constexpr std::string_view fill_sql = R"(
    SET timezone = 'UTC';
    SELECT ensure_leaf(DATE '2026-03-01');
    INSERT INTO def (tenant, domain, source, name, tactics, techniques)
        SELECT {0}, 'endpoint', 'edr' || n % 5, 'probe' || n, '{{TA0001}}', '{{T1078}}' FROM generate_series(0, 99) n;
    INSERT INTO entity (tenant, kind, value, identifies)
        SELECT {0}, 'host', 'h' || n, true FROM generate_series(0, 19999) n UNION ALL SELECT {0}, 'account', 'a' || n, true FROM generate_series(0, 19996) n
        UNION ALL SELECT {0}, 'ip', '10.0.0.' || n, true FROM generate_series(1, 97) n UNION ALL SELECT {0}, 'account', 'rare', true;
    INSERT INTO signal (key, tenant, position, time, received, def, title, severity, confidence, count, entities, roles, content, source_id, attributes, shown)
        SELECT (lpad(to_hex(floor(extract(epoch FROM t) * 1000)::int8), 12, '0') || left(md5(n::text), 20))::uuid, {0}, n + 1, t, t, d.first + n % 100, NULL, n % 4, 0.3, 1,
               CASE WHEN n % 50000 = 11 THEN ARRAY[e.first + 40094] ELSE ARRAY[e.first + n * 7919 % 20000, e.first + 20000 + n * 104729 % 19997, e.first + 39997 + n % 97] END,
               '\x010203'::bytea, n, 's' || n, '{{"country":"RO","process":"C:\\Windows\\System32\\rundll32.exe","session":"' || md5(n::text) || '"}}', NULL
        FROM (SELECT n, timestamptz '2026-03-01 00:00+00' + n * interval '{3} milliseconds' + n % 3 * interval '1 microsecond' AS t FROM generate_series(0::int8, {1} - 1) n) made,
             (SELECT min(id) AS first FROM def WHERE tenant = {0}) d, (SELECT min(id) AS first FROM entity WHERE tenant = {0}) e;
    INSERT INTO incident (tenant, number, title, summary, severity, score, status, classification_reason, owner, tactics, techniques, domains, patterns, entity_keys, principals,
                          entities, entity_total, first_activity, last_activity, created, updated, signal_count, finding_count, revision, position)
        SELECT {0}, n, 'Incident ' || n, 'What happened', n % 4, (n % 997) / 997.0, 'new', '', '', '{{TA0001}}', '{{T1078}}', '{{endpoint}}', '{{probing}}', ARRAY['host:h' || n],
               '[]', '[]', 1, t, t + interval '1 hour', t, t, 10, 1, 1, n
        FROM (SELECT n, timestamptz '2026-03-01 00:00+00' + n * interval '80 seconds' AS t FROM generate_series(1, {2}) n) made;
    INSERT INTO finding (tenant, id, pattern, version, mode, state, title, summary, severity, score, incident, start_time, end_time, evidence_total, tactics, techniques, domains,
                         principal_keys, principals, stages, score_detail, position)
        SELECT tenant, md5(number::text)::uuid, 'probing', 1, 'production', 'open', title, summary, severity, score, number, first_activity, last_activity, 10, tactics, techniques,
               domains, entity_keys, '[]', '[]', '{{"prior":-6.6,"contributions":[],"domain_bonus":0,"phase_bonus":0,"total":-6.6,"probability":0.01}}', position
        FROM incident WHERE tenant = {0};
    INSERT INTO finding_evidence (tenant, finding, time, source, source_id, stage, key, domain, name, title, tactics, techniques, severity, confidence, count, entities, attributes, received)
        SELECT s.tenant, f.id, s.time, d.source, s.source_id, 'access', s.key, d.domain, d.name, '', d.tactics, d.techniques, s.severity, s.confidence, s.count, '[]', s.attributes, s.received
        FROM finding f CROSS JOIN generate_series(0, 9) n
        JOIN signal s ON s.time >= '2026-03-01' AND s.time < '2026-03-02' AND s.source_id = 's' || (((f.position * 1000 + n * 20) % {1}))
        JOIN def d ON d.id = s.def WHERE f.tenant = {0};
    ANALYZE signal, def, entity, incident, finding, finding_evidence;)";

struct Read {
    std::string what;
    std::string path;
    std::vector<std::string> bare;  ///< the same rows, as prepared statements; mostly one
    std::size_t items;              ///< that both return, where it is a list
    bool is_search = false;         ///< which ends with 503 when it takes longer than the server's patience
};

/// Requests of 1,000 signals at a steady rate for as long as it lives.
class Ingest {
public:
    explicit Ingest(bench::LoadOptions load) {
        if (load.requests_per_second == 0) return;
        thread_ = std::thread{[this, load] {
            bench::SignalGenerator generator{7};
            std::vector<std::string> bodies(static_cast<std::size_t>(load.requests_per_second) + 1);
            while (!ends_) {
                for (auto& body : bodies) body = generator.body(1'000);
                if (bench::send_load(load, bodies).refused > 0) fmt::print("some of the signals posted meanwhile were refused\n");
            }
        }};
    }
    ~Ingest() {
        ends_ = true;
        if (thread_.joinable()) thread_.join();
    }
    Ingest(const Ingest&) = delete;
    Ingest& operator=(const Ingest&) = delete;

private:
    std::atomic<bool> ends_{false};
    std::thread thread_;
};

double milliseconds_since(Steady::time_point begin) { return std::chrono::duration<double, std::milli>(Steady::now() - begin).count(); }

/// What one read took over HTTP.
struct Reading {
    double milliseconds = 0;  ///< of all its requests
    std::size_t requests = 0;
    bool gave_up = false;
};

/// Reads until the list is full: a page may end early where a search would take too long, and `next_cursor` goes on.
Reading read_over_http(const Read& read, server::ApiClient& client) {
    Reading reading;
    std::size_t items = 0;
    for (std::string path = read.path;;) {
        const auto begin = Steady::now();
        const auto reply = client.get(path);
        reading.milliseconds += milliseconds_since(begin);
        ++reading.requests;
        reading.gave_up = read.is_search && reply.status == 503;
        if (reading.gave_up) return reading;
        if (reply.status != 200) throw std::runtime_error(fmt::format("{}: {} {}", path, reply.status, reply.body));
        if (read.items == 0) return reading;
        const auto page = nlohmann::json::parse(reply.body);
        items += page["items"].size();
        if (items == read.items) return reading;
        if (items > read.items || page["next_cursor"].is_null()) throw std::runtime_error(fmt::format("{}: {} items, not {}", path, items, read.items));
        path = fmt::format("{}{}limit={}&cursor={}", read.path, read.path.find('?') == std::string::npos ? '?' : '&', read.items - items,
                           page["next_cursor"].get<std::string>());
    }
}

/// What is measured: reads whose names contain this; all of them for "".
std::string chosen;

void measure(const Read& read, server::ApiClient& client, server::PqConnection& connection, std::size_t rounds) {
    if (read.what.find(chosen) == std::string::npos) return;
    for (std::size_t i = 0; i < read.bare.size(); ++i) connection.run(fmt::format("PREPARE bare{} AS {}", i, read.bare[i]));
    std::vector<double> ours, bare;
    std::size_t requests = 0, given_up = 0;
    for (std::size_t round = 0; round < rounds + rounds / 10; ++round) {
        const auto begin = Steady::now();
        int rows = 0;
        for (std::size_t i = 0; i < read.bare.size(); ++i) rows = connection.run(fmt::format("EXECUTE bare{}", i)).rows();
        const auto query = milliseconds_since(begin);
        if (read.items > 0 && static_cast<std::size_t>(rows) != read.items)
            throw std::runtime_error(fmt::format("{}: {} rows, not {}", read.what, rows, read.items));
        const auto http = read_over_http(read, client);
        if (round < rounds / 10) continue;  // warming up
        bare.push_back(query);
        ours.push_back(http.milliseconds);
        requests += http.requests;
        given_up += http.gave_up ? 1 : 0;
    }
    connection.run("DEALLOCATE ALL");
    std::ranges::sort(ours);
    std::ranges::sort(bare);
    const auto p50 = bench::percentile(ours, 0.5) / bench::percentile(bare, 0.5);
    const auto p99 = bench::percentile(ours, 0.99) / bench::percentile(bare, 0.99);
    std::string notes;
    if (requests > ours.size()) notes += fmt::format("; {:.1f} requests a page", static_cast<double>(requests) / static_cast<double>(ours.size()));
    if (given_up > 0) notes += fmt::format("; {} of {} searches gave up", given_up, ours.size());
    fmt::print("{:<34} bare p50 {:8.3f} ms p99 {:8.3f}; over HTTP p50 {:8.3f} ms p99 {:8.3f}; {:.2f} and {:.2f} times{}\n", read.what,
               bench::percentile(bare, 0.5), bench::percentile(bare, 0.99), bench::percentile(ours, 0.5), bench::percentile(ours, 0.99), p50, p99, notes);
    std::fflush(stdout);
}

int run(std::size_t signals, std::size_t incidents, std::size_t rounds, double rate) {
    tests::ServerProcess server;
    server.start();
    auto admin = server.admin();
    const auto key = nlohmann::json::parse(admin.post("/api/v1/tenants", R"({"name":"bench"})").body)["key"].get<std::string>();
    server::ApiClient client{server.url(), key};
    server::PqConnection connection{server.superuser_url()};
    const std::string tenant{connection.run("SELECT id FROM tenant WHERE name = 'bench'").text(0, 0)};
    auto begin = Steady::now();
    const auto spacing = std::clamp<std::size_t>(80'000'000 / signals, 1, 80);  // all of them on one day
    connection.run(fmt::format(fill_sql, tenant, signals, incidents, spacing));
    fmt::print("{} signals and {} incidents stored in {:.1f} s\n", signals, incidents, milliseconds_since(begin) / 1e3);

    std::optional<Ingest> ingest{std::in_place, bench::LoadOptions{server.url(), key, 4, rate / 1'000}};

    const std::string columns =
        "SELECT s.*, d.domain, d.source, d.name, d.tactics, d.techniques, (SELECT array_agg(e.kind || ':' || e.value) FROM entity e WHERE e.id = ANY "
        "(s.entities)) FROM ";
    const auto page = [&](const std::string& condition) {
        return fmt::format(
            "{} (SELECT * FROM signal WHERE tenant = {} AND time >= '2026-03-01' AND time < '2026-03-03' {} LIMIT 50) s JOIN def d ON d.id = s.def", columns,
            tenant, condition);
    };
    const auto entity = [&](const std::string& value) {
        return std::string{connection.run(fmt::format("SELECT id FROM entity WHERE tenant = {} AND value = '{}'", tenant, value)).text(0, 0)};
    };
    const auto middle = fmt::format("s{}", signals / 2 + 3);
    const auto time = "2026-03-01T12:00:00Z";
    const std::vector<Read> either{
        {"signals, newest 50", "/api/v1/signals", {page("ORDER BY key DESC")}, 50},
        {"signals before noon",
         fmt::format("/api/v1/signals?time_before={}", time),
         {page(fmt::format("AND key < (SELECT lowest_key('{}')) ORDER BY key DESC", time))},
         50},
        {"signals of a common address",
         "/api/v1/signals?entity=ip:10.0.0.7",
         {page(fmt::format("AND entities @> ARRAY[{}::int8] ORDER BY key DESC", entity("10.0.0.7")))},
         50},
        {"incidents by score",
         "/api/v1/incidents?sort=-score",
         {fmt::format("SELECT * FROM incident WHERE tenant = {} AND merged_into IS NULL ORDER BY score DESC, number DESC LIMIT 50", tenant)},
         50},
        {"one incident",
         "/api/v1/incidents/17",
         {fmt::format("SELECT i.*, f.* FROM incident i JOIN finding f ON f.tenant = i.tenant AND f.incident = i.number WHERE i.tenant = {} AND i.number = 17",
                      tenant)},
         0},
        {"evidence of an incident",
         "/api/v1/incidents/17/evidence",
         {fmt::format("SELECT e.* FROM finding f JOIN finding_evidence e ON e.tenant = f.tenant AND e.finding = f.id WHERE f.tenant = {} AND f.incident = 17 "
                      "ORDER BY e.time",
                      tenant)},
         10},
        {"entities by prefix",
         "/api/v1/entities?kind=host&prefix=h12",
         {fmt::format("SELECT * FROM entity WHERE tenant = {} AND kind = 'host' AND value >= 'h12' AND value < 'h13' ORDER BY value LIMIT 50", tenant)},
         50},
        {"one signal by id and time",
         fmt::format(
             "/api/v1/signals/edr{}/{}?time={}", (signals / 2 + 3) % 5, middle,
             std::string{connection
                             .run(fmt::format("SELECT to_char(time AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') FROM signal WHERE source_id = '{}'",
                                              middle))
                             .text(0, 0)}),
         {fmt::format("{} signal s JOIN def d ON d.id = s.def WHERE s.tenant = {} AND s.time >= '2026-03-01' AND s.time < '2026-03-02' AND s.key = '{}'",
                      columns, tenant, std::string{connection.run(fmt::format("SELECT key FROM signal WHERE source_id = '{}'", middle)).text(0, 0)})},
         0},
    };
    for (const auto& read : either) measure(read, client, connection, rounds);
    const auto rare = page(fmt::format("AND entities && ARRAY[{}::int8] ORDER BY time DESC, key DESC", entity("rare")));
    const auto matching = std::min<std::size_t>(static_cast<std::size_t>((signals + 49'999 - 11) / 50'000), 50);  // a page
    measure({"rare account, leaf not sealed", "/api/v1/signals?entity=account:rare", {rare}, matching}, client, connection, 5);
    begin = Steady::now();
    connection.run("SELECT seal_leaf('signal_d20260301')");
    const auto bytes =
        connection.run("SELECT pg_indexes_size('signal_d20260301') - pg_relation_size('signal_d20260301_key_idx'), pg_total_relation_size('signal_d20260301')");
    fmt::print("sealed in {:.2f} s; {:.1f} B a signal for that, {:.1f} in all\n", milliseconds_since(begin) / 1e3,
               static_cast<double>(bytes.number(0, 0)) / static_cast<double>(signals), static_cast<double>(bytes.number(0, 1)) / static_cast<double>(signals));
    measure({"rare account, leaf sealed", "/api/v1/signals?entity=account:rare", {rare}, matching}, client, connection, rounds);
    const auto row = fmt::format("SELECT * FROM entity WHERE tenant = {} AND kind = 'account' AND value = 'rare'", tenant);
    const auto involved =
        fmt::format("SELECT * FROM incident WHERE tenant = {} AND entity_keys && ARRAY['account:rare'] ORDER BY last_activity DESC LIMIT 20", tenant);
    measure({"profile of a rare account", "/api/v1/entities/account/rare", {row, rare, involved}, 0}, client, connection, rounds);
    const auto searched =
        fmt::format("{} signal s JOIN def d ON d.id = s.def WHERE s.tenant = {} AND s.time >= '2026-03-01' AND s.time < '2026-03-02' AND s.source_id = '{}'",
                    columns, tenant, middle);
    measure({"one signal by id alone, not recent", fmt::format("/api/v1/signals/edr{}/{}", (signals / 2 + 3) % 5, middle), {searched}, 0, true}, client,
            connection, std::max<std::size_t>(rounds / 10, 1));
    ingest.reset();
    server.stop();
    return 0;
}

}  // namespace

int main(int count, char** words) {
    const auto number = [&](int i, std::size_t otherwise) { return count > i ? std::strtoul(words[i], nullptr, 10) : otherwise; };
    if (count > 5) chosen = words[5];
    return run(number(1, 1'000'000), number(2, 1'000), number(3, 500), static_cast<double>(number(4, 0)));
}
