#include "server/pg/signal_store.hpp"

#include "tests/support/postgres_fixture.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

using namespace catenary;
using namespace catenary::tests;
using namespace std::chrono_literals;
namespace pg = server::pg;
using api::ports::SignalFilter;
using api::ports::StoredSignalRow;

namespace {

/// Fills a tenant's signals as ingest leaves them: `count` of them, `step` apart from `from`, the n-th with id "s<n>", source by n % 3, host by n % 5.
void fill(TestDatabase& database, engine::TenantId tenant, int count, const std::string& from, const std::string& step) {
    database.run(fmt::format(R"(
        INSERT INTO def (tenant, domain, source, name, tactics, techniques)
            SELECT {0}, 'endpoint', 'edr' || n, 'probe' || n, '{{TA0001}}', '{{T1078,T1110}}' FROM generate_series(0, 2) n;
        INSERT INTO title (tenant, source, name, title) VALUES ({0}, 'edr0', 'probe0', 'A probe');
        INSERT INTO entity (tenant, kind, value, identifies) SELECT {0}, 'host', 'h' || n, n <> 0 FROM generate_series(0, 4) n;
        SELECT ensure_leaf(((timestamptz '{2}' + n * interval '{3}') AT TIME ZONE 'UTC')::date) FROM generate_series(0, {1} - 1) n;
        INSERT INTO signal (key, tenant, position, time, received, def, title, severity, confidence, count, entities, roles, content, source_id, attributes, shown)
            SELECT (lpad(to_hex(floor(extract(epoch FROM t) * 1000)::int8), 12, '0') || left(md5('{0}/' || n), 20))::uuid, {0}, n + 1, t, t + interval '1 second',
                   (SELECT id FROM def WHERE tenant = {0} AND source = 'edr' || n % 3),
                   CASE WHEN n % 3 = 0 THEN (SELECT id FROM title WHERE tenant = {0}) END, n % 4, 0.25, n + 1,
                   ARRAY[(SELECT id FROM entity WHERE tenant = {0} AND value = 'h' || n % 5)], '\x01'::bytea, n, 's' || n,
                   CASE WHEN n = 0 THEN '{{"country":"RO"}}' END, CASE WHEN n = 0 THEN '{{"values":{{"0":"H0"}}}}' END
            FROM (SELECT n, timestamptz '{2}' + n * interval '{3}' AS t FROM generate_series(0, {1} - 1) n) made;
        INSERT INTO late_signal (tenant, key, time) SELECT tenant, key, time FROM signal WHERE tenant = {0} AND source_id = 's1')",
                             tenant.value(), count, from, step));
}

std::vector<StoredSignalRow> all_pages(pg::SignalStore& store, const api::Caller& caller, const SignalFilter& filter, std::size_t limit) {
    std::vector<StoredSignalRow> rows;
    api::ports::PageRequest request{limit, ""};
    for (;;) {
        const auto page = store.page(caller, filter, request);
        REQUIRE(page.has_value());
        CHECK((*page).items.size() <= limit);
        rows.insert(rows.end(), (*page).items.begin(), (*page).items.end());
        if (!(*page).next) return rows;
        CHECK((*page).items.size() == limit);
        request.after = *(*page).next;
    }
}

std::vector<std::string> ids_of(const std::vector<StoredSignalRow>& rows) {
    std::vector<std::string> ids;
    for (const auto& row : rows) ids.push_back(row.signal.id);
    return ids;
}

}  // namespace

TEST_CASE("pages hold every signal once, in order, whatever their size and direction") {
    TestDatabase database;
    const auto tenant = database.add_tenant("first");
    fill(database, tenant.caller.tenant, 120, "2026-03-01 22:00:00+00", "1 hour");  // six daily leaves
    pg::SignalStore store{database.api()};
    for (const bool newest_first : {true, false}) {
        for (const std::size_t limit : {1U, 7U, 120U, 500U}) {
            CAPTURE(limit);
            SignalFilter filter;
            filter.newest_first = newest_first;
            const auto rows = all_pages(store, tenant.caller, filter, limit);
            REQUIRE(rows.size() == 120);
            for (std::size_t i = 0; i < rows.size(); ++i) CHECK(rows[i].signal.id == "s" + std::to_string(newest_first ? 119 - i : i));
        }
    }
}

TEST_CASE("many signals at one instant are paged completely and stably") {
    TestDatabase database;
    const auto tenant = database.add_tenant("first");
    fill(database, tenant.caller.tenant, 60, "2026-03-01 12:00:00+00", "0 seconds");
    pg::SignalStore store{database.api()};
    for (const bool newest_first : {true, false}) {
        SignalFilter filter;
        filter.newest_first = newest_first;
        const auto rows = ids_of(all_pages(store, tenant.caller, filter, 7));
        CHECK(rows.size() == 60);
        CHECK(std::set<std::string>(rows.begin(), rows.end()).size() == 60);
        CHECK(rows == ids_of(all_pages(store, tenant.caller, filter, 60)));
    }
}

TEST_CASE("a signal is shown as it was posted") {
    TestDatabase database;
    const auto tenant = database.add_tenant("first");
    fill(database, tenant.caller.tenant, 2, "2019-07-01 00:00:00.000001+00", "1 second");  // a yearly leaf
    pg::SignalStore store{database.api()};
    SignalFilter filter;
    filter.newest_first = false;
    const auto rows = all_pages(store, tenant.caller, filter, 10);
    REQUIRE(rows.size() == 2);
    const auto& row = rows[0];
    CHECK(row.signal.source == "edr0");
    CHECK(row.signal.name == "probe0");
    CHECK(row.signal.domain == "endpoint");
    CHECK(engine::to_micros(row.signal.time) == 1561939200000001);  // date -ud '2019-07-01' +%s
    CHECK(row.received == row.signal.time + 1s);
    CHECK(row.title == "A probe");
    CHECK(row.signal.tactics == std::vector<std::string>{"TA0001"});
    CHECK(row.signal.techniques == std::vector<std::string>{"T1078", "T1110"});
    CHECK(row.signal.confidence == 0.25);
    CHECK(row.signal.count == 1);
    CHECK(row.signal.entities == std::vector<engine::EntityMention>{{"host", "h0", "actor", false}});
    CHECK(row.attributes_json == R"({"country":"RO"})");
    CHECK(row.shown_json == R"({"0":"H0"})");
    CHECK_FALSE(row.late);
    CHECK(rows[1].late);
    CHECK(rows[1].attributes_json == "{}");
    CHECK(rows[1].shown_json == "");
    CHECK(rows[1].signal.severity == engine::Severity::low);
}

TEST_CASE("filters are alternatives within one and conditions across several") {
    TestDatabase database;
    const auto tenant = database.add_tenant("first");
    fill(database, tenant.caller.tenant, 60, "2026-03-01 00:00:00+00", "1 hour");
    pg::SignalStore store{database.api()};
    const auto count = [&](const SignalFilter& filter) { return all_pages(store, tenant.caller, filter, 8).size(); };
    const engine::Timestamp begin{std::chrono::sys_days{std::chrono::year{2026} / 3 / 1}};
    SignalFilter filter;
    filter.sources = {"edr0", "edr2"};
    CHECK(count(filter) == 40);
    filter.entities = {{"host", "h1"}, {"host", "h2"}, {"host", "nowhere"}};
    CHECK(count(filter) == 16);
    filter.time = {begin + 6h, begin + 12h};
    CHECK(count(filter) == 2);  // 6 and 11 have h1, 7 has h2 but source edr1: 6 (edr0) and 11 (edr2)
    filter = {};
    filter.time = {begin + 1h, begin + 2h};
    CHECK(ids_of(all_pages(store, tenant.caller, filter, 8)) == std::vector<std::string>{"s1"});
    filter = {};
    filter.names = {"probe1"};
    filter.domains = {"endpoint"};
    CHECK(count(filter) == 20);
    for (const auto& nothing : {SignalFilter{{"unknown"}, {}, {}, {}, {}, true}, SignalFilter{{}, {}, {}, {{"host", "unknown"}}, {}, true},
                                SignalFilter{{std::string("edr0\0", 5)}, {}, {}, {}, {}, true}}) {
        CHECK(count(nothing) == 0);
    }
}

TEST_CASE("another tenant's signals are not there") {
    TestDatabase database;
    const auto first = database.add_tenant("first");
    const auto second = database.add_tenant("second");
    fill(database, first.caller.tenant, 20, "2026-03-01 00:00:00+00", "1 hour");
    pg::SignalStore store{database.api()};
    CHECK(all_pages(store, second.caller, {}, 10).empty());
    SignalFilter filter;
    filter.entities = {{"host", "h1"}};
    CHECK(all_pages(store, second.caller, filter, 10).empty());
}

TEST_CASE("a cursor of another list is refused") {
    TestDatabase database;
    const auto tenant = database.add_tenant("first");
    pg::SignalStore store{database.api()};
    const auto page = store.page(tenant.caller, {}, {10, "2:17"});
    REQUIRE(page.has_error());
    CHECK(page.error().code == api::ports::FailureCode::invalid);
}

TEST_CASE("a page is read from the key's index, not by scanning its leaf") {
    TestDatabase database;
    const auto tenant = database.add_tenant("first");
    fill(database, tenant.caller.tenant, 20'000, "2026-03-01 00:00:00+00", "4 seconds");
    pqxx::connection connection{database.dsn(pg::Role::api).text()};
    pqxx::work transaction{connection};
    transaction.exec(fmt::format("SET LOCAL app.tenant = '{}'", tenant.caller.tenant.value()));
    transaction.exec(pg::SignalStore::walk_the_index);
    std::string plan;
    for (const auto& row : transaction.exec("EXPLAIN SELECT * FROM signal WHERE time >= '2026-03-01' AND time < '2026-03-02' "
                                            "AND key < 'ffffffff-ffff-ffff-ffff-ffffffffffff' ORDER BY key DESC LIMIT 51")) {
        plan += row[0].c_str();
        plan += '\n';
    }
    CAPTURE(plan);
    CHECK(plan.find("Index Scan Backward using signal_d20260301_key_idx") != std::string::npos);
    CHECK(plan.find("Sort") == std::string::npos);
}
