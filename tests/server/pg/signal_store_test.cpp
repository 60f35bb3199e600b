#include "server/pg/signal_store.hpp"

#include "server/pg/leaf_sealer.hpp"
#include "server/pg/tenant_transaction.hpp"
#include "tests/server/pg/stored_results.hpp"
#include "tests/support/postgres_fixture.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <boost/uuid/uuid_io.hpp>

#include <algorithm>
#include <chrono>
#include <set>
#include <string>
#include <thread>
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
        REQUIRE(rows.size() < 50'000);  // a list that never ends
        const auto page = store.page(caller, filter, request);
        REQUIRE(page.has_value());
        CHECK((*page).items.size() <= limit);
        rows.insert(rows.end(), (*page).items.begin(), (*page).items.end());
        if (!(*page).next) return rows;
        REQUIRE((*page).items.size() == limit);
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
    filter = {};
    filter.techniques = {"T1110", "T9999"};
    filter.tactics = {"TA0001"};
    filter.severities = {engine::Severity::high, engine::Severity::low};
    CHECK(count(filter) == 30);  // n % 4 is 1 or 3
    filter.tactics = {"TA0002"};
    CHECK(count(filter) == 0);
    filter = {};
    filter.sources = {"unknown"};
    CHECK(count(filter) == 0);
    filter.sources = {std::string("edr0\0", 5)};
    CHECK(count(filter) == 0);
    filter = {};
    filter.entities = {{"host", "unknown"}};
    CHECK(count(filter) == 0);
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

TEST_CASE("within a millisecond signals are ordered by exact time, then key, across every page border") {
    TestDatabase database;
    const auto tenant = database.add_tenant("first");
    fill(database, tenant.caller.tenant, 200, "2026-03-01 12:00:00.000003+00", "7 microseconds");  // two milliseconds
    database.run(
        "UPDATE signal SET time = '2026-03-01 12:00:00.000500+00' WHERE substr(source_id, 2)::int % 3 = 0 AND substr(source_id, 2)::int < 120");  // 40 ties
    pg::SignalStore store{database.api()};
    std::vector<std::string> expected;
    {
        pqxx::connection superuser{database.superuser().text()};
        pqxx::work transaction{superuser};
        for (const auto& row : transaction.exec("SELECT source_id FROM signal ORDER BY time, key")) expected.emplace_back(row[0].c_str());
    }
    for (const bool newest_first : {true, false}) {
        for (const std::size_t limit : {1U, 3U, 7U, 64U, 199U, 200U, 500U}) {
            CAPTURE(limit);
            SignalFilter filter;
            filter.newest_first = newest_first;
            auto ids = ids_of(all_pages(store, tenant.caller, filter, limit));
            if (newest_first) std::reverse(ids.begin(), ids.end());
            CHECK(ids == expected);
        }
    }
}

TEST_CASE("a search that runs out of patience pauses, and its pages together hold everything") {
    TestDatabase database;
    const auto tenant = database.add_tenant("first");
    fill(database, tenant.caller.tenant, 3'000, "2026-03-01 23:30:00.0005+00", "1 second");  // two leaves
    database.run("UPDATE signal SET entities = '{}' WHERE substr(source_id, 2)::int % 500 <> 3");
    pg::SignalStore store{database.api(), nullptr, std::chrono::milliseconds{0}};
    for (const bool newest_first : {true, false}) {
        SignalFilter filter;
        filter.newest_first = newest_first;
        filter.entities = {{"host", "h3"}};
        std::vector<std::string> ids;
        std::size_t pauses = 0;
        api::ports::PageRequest request{10, ""};
        for (;;) {
            const auto page = store.page(tenant.caller, filter, request);
            REQUIRE(page.has_value());
            for (const auto& row : (*page).items) ids.push_back(row.signal.id);
            if (!(*page).next) break;
            if ((*page).items.size() < request.limit) ++pauses;
            REQUIRE(pauses < 3'000);
            request.after = *(*page).next;
        }
        CHECK(pauses > 2);
        if (newest_first) std::reverse(ids.begin(), ids.end());
        CHECK(ids == std::vector<std::string>{"s3", "s503", "s1003", "s1503", "s2003", "s2503"});
    }
}

namespace {

/// What one call of signal_page reads of an index, in entries; as a request's role.
std::int64_t entries_read(TestDatabase& database, engine::TenantId tenant, const std::string& index, const std::string& filters) {
    pqxx::connection connection{database.dsn(pg::Role::api).text()};
    pqxx::work transaction{connection};
    transaction.exec(fmt::format("SET LOCAL app.tenant = '{}'", tenant.value()));
    transaction.exec("SELECT * FROM signal_page(true, '-infinity', 'infinity', NULL, NULL, " + filters + ", 51, 5000)");
    return transaction.exec1("SELECT pg_stat_get_xact_tuples_returned('" + index + "'::regclass)")[0].as<std::int64_t>();
}

}  // namespace

TEST_CASE("a page reads as many entries of the key's index as it needs, a rare filter in a sealed leaf few more") {
    TestDatabase database;
    const auto tenant = database.add_tenant("first");
    const auto other = database.add_tenant("second");
    fill(database, tenant.caller.tenant, 20'000, "2026-03-01 00:00:00+00", "4 seconds");
    fill(database, other.caller.tenant, 3, "2026-03-01 00:00:00.5+00", "1 second");
    database.run("INSERT INTO entity (tenant, kind, value, identifies) VALUES (" + std::to_string(tenant.caller.tenant.value()) + ", 'host', 'rare', true)");
    database.run("UPDATE signal SET entities = ARRAY[(SELECT id FROM entity WHERE value = 'rare')] WHERE source_id = 's5' AND tenant = " +
                 std::to_string(tenant.caller.tenant.value()));
    const auto rare = "NULL, ARRAY[" + database.ask("SELECT id FROM entity WHERE value = 'rare'") + "::int8], NULL";
    const auto rare_definition =
        "ARRAY[" + database.ask("SELECT min(id) FROM def WHERE tenant = " + std::to_string(other.caller.tenant.value())) + "], NULL, NULL";
    const std::string keys = "signal_d20260301_key_idx";
    CHECK(entries_read(database, tenant.caller.tenant, keys, "NULL, NULL, NULL") < 300);
    CHECK(entries_read(database, tenant.caller.tenant, keys, rare) < 2'000);  // read through from begin to end instead of walked

    database.run("SELECT seal_leaf('signal_d20260301')");
    CHECK(entries_read(database, tenant.caller.tenant, keys, rare) < 100);
    CHECK(entries_read(database, other.caller.tenant, keys, "NULL, NULL, NULL") < 12'000);
    const auto sealed =
        database.ask("SELECT indexrelid::regclass FROM pg_index WHERE indrelid = 'signal_d20260301'::regclass AND indkey[0] > 0 AND indnatts = 3");
    CHECK(entries_read(database, tenant.caller.tenant, sealed, rare) == 2);  // counted, then fetched
    CHECK(entries_read(database, other.caller.tenant, sealed, "NULL, NULL, NULL") == 3);
    CHECK(entries_read(database, other.caller.tenant, sealed, rare_definition) == 1);
    CHECK(entries_read(database, tenant.caller.tenant, sealed, "NULL, NULL, NULL") == 0);  // the walk fills the page before

    pg::SignalStore store{database.api()};
    SignalFilter filter;
    filter.entities = {{"host", "rare"}};
    CHECK(ids_of(all_pages(store, tenant.caller, filter, 10)) == std::vector<std::string>{"s5"});
    CHECK(all_pages(store, other.caller, filter, 10).empty());
    CHECK(all_pages(store, other.caller, {}, 2).size() == 3);
    filter = {};
    filter.names = {"probe2"};
    filter.entities = {{"host", "h4"}};
    CHECK(all_pages(store, tenant.caller, filter, 500).size() == 1'333);  // n % 15 = 14
}

TEST_CASE("a leaf is sealed once it is over and has stopped growing") {
    TestDatabase database;
    const auto tenant = database.add_tenant("first");
    fill(database, tenant.caller.tenant, 5, "2026-03-01 00:00:00+00", "1 second");
    pqxx::connection connection{database.dsn(pg::Role::ingest).text()};
    const auto seal = [&](const char* quiet) {
        pqxx::work transaction{connection};
        const auto row = transaction.exec_params1("SELECT coalesce(seal_next_leaf($1), '')", quiet);
        transaction.commit();
        return std::string{row[0].c_str()};
    };
    CHECK(seal("1 hour") == "");
    CHECK(database.ask("SELECT count(*) FROM sealed_leaf") == "0");
    pg::LeafSealer sealer{{.dsn = database.dsn(pg::Role::ingest).text(), .quiet = std::chrono::seconds{0}}};
    CHECK(sealer.run_once() == 1);
    CHECK(database.ask("SELECT leaf FROM sealed_leaf") == "signal_d20260301");
    CHECK(seal("0") == "");
    database.run(
        "SELECT ensure_leaf((now() AT TIME ZONE 'UTC')::date); INSERT INTO signal SELECT 'ffffffff-ffff-ffff-ffff-ffffffffffff', tenant, position, now(), "
        "received, def, title, "
        "severity, confidence, count, entities, roles, content, 'today', attributes, shown FROM signal LIMIT 1");
    CHECK(seal("0") == "");
}

TEST_CASE("a leaf that takes long to seal does not hold up a stop") {
    TestDatabase database;
    const auto tenant = database.add_tenant("first");
    fill(database, tenant.caller.tenant, 5, "2026-03-01 00:00:00+00", "1 second");
    pqxx::connection connection{database.superuser().text()};
    pqxx::work obstacle{connection};
    obstacle.exec("LOCK TABLE signal_d20260301 IN ACCESS EXCLUSIVE MODE");
    pg::LeafSealer sealer{{.dsn = database.dsn(pg::Role::ingest).text(), .round = std::chrono::seconds{0}, .quiet = std::chrono::seconds{0}}};
    sealer.start();
    while (database.ask("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'signal_d20260301'::regclass") == "0") {
        std::this_thread::sleep_for(std::chrono::milliseconds{1});
    }
    const auto begin = std::chrono::steady_clock::now();
    sealer.stop();
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds{2});
    obstacle.abort();
    CHECK(sealer.run_once() == 0);  // it was stopped
    CHECK(database.ask("SELECT count(*) FROM sealed_leaf") == "0");
}

namespace {

struct OneKey final : server::StoredKeys {
    std::optional<server::SignalKey> key;
    std::optional<server::SignalKey> key_of(engine::TenantId, std::string_view, std::string_view) const override { return key; }
};

}  // namespace

TEST_CASE("one signal is found by its time, by a remembered key, as evidence, and by search") {
    TestDatabase database;
    const auto tenant = database.add_tenant("first");
    const auto other = database.add_tenant("second");
    fill(database, tenant.caller.tenant, 50, "2026-02-27 00:00:00.000001+00", "3 hours");
    database.run("UPDATE signal SET source_id = 'a/b:%' WHERE source_id = 's4'");
    pg::SignalStore store{database.api()};
    const auto found = store.find(tenant.caller, "edr1", "a/b:%", {});
    REQUIRE(found.has_value());
    CHECK((*found).row.signal.id == "a/b:%");
    CHECK((*found).row.signal.source == "edr1");
    CHECK((*found).row.signal.entities == std::vector<engine::EntityMention>{{"host", "h4", "actor", true}});
    CHECK((*found).uses.empty());
    for (const auto& nobodys :
         {store.find(other.caller, "edr1", "a/b:%", {}), store.find(tenant.caller, "edr0", "a/b:%", {}), store.find(tenant.caller, "edr1", "s4", {}),
          store.find(tenant.caller, "edr1", "a/b:%", (*found).row.signal.time + 1ms), store.find(other.caller, "edr1", "a/b:%", (*found).row.signal.time)}) {
        REQUIRE(nobodys.has_error());
        CHECK(nobodys.error().code == api::ports::FailureCode::not_found);
    }
    CHECK(store.find(tenant.caller, "edr1", "a/b:%", (*found).row.signal.time).has_value());

    // Without patience nothing is searched; time and memory still lead there.
    pg::SignalStore impatient{database.api(), nullptr, std::chrono::milliseconds{0}};
    REQUIRE(impatient.find(tenant.caller, "edr1", "a/b:%", {}).has_error());
    CHECK(impatient.find(tenant.caller, "edr1", "a/b:%", {}).error().code == api::ports::FailureCode::unavailable);
    CHECK(impatient.find(tenant.caller, "edr1", "a/b:%", (*found).row.signal.time).has_value());
    const auto key = database.ask("SELECT replace(key::text, '-', '') FROM signal WHERE source_id = 'a/b:%'");
    OneKey memory;
    memory.key = server::SignalKey{std::stoull(key.substr(0, 16), nullptr, 16), std::stoull(key.substr(16), nullptr, 16)};
    pg::SignalStore remembering{database.api(), &memory, std::chrono::milliseconds{0}};
    CHECK(remembering.find(tenant.caller, "edr1", "a/b:%", {}).has_value());
    CHECK(remembering.find(other.caller, "edr1", "a/b:%", {}).has_error());

    database.run("SELECT seal_leaf('signal_d20260227')");
    CHECK(store.find(tenant.caller, "edr1", "a/b:%", {}).has_value());
}

TEST_CASE("the statements that look one signal up are planned once, not with each request") {
    TestDatabase database;
    const auto tenant = database.add_tenant("first");
    fill(database, tenant.caller.tenant, 50, "2026-02-27 00:00:00+00", "3 hours");
    pg::Pool one{database.dsn(pg::Role::api), 1, 5s};  // so that all requests share the session that is asked afterwards
    pg::SignalStore store{one};
    for (int i = 0; i < 10; ++i) REQUIRE(store.find(tenant.caller, "edr1", "s4", {}).has_value());
    const auto planned = pg::tenant_transaction(one, tenant.caller, pg::Access::read, [](pg::TenantTransaction& transaction) {
        return transaction.exec("SELECT name, generic_plans, custom_plans FROM pg_prepared_statements ORDER BY name");
    });
    REQUIRE(planned.has_value());
    CHECK((*planned).size() == 3);  // its uses as evidence, the signal, its entities
    for (const auto& statement : *planned) {
        CAPTURE(statement[0].c_str());
        CHECK(statement[1].as<int>() == 10);
        CHECK(statement[2].as<int>() == 0);
    }
}

TEST_CASE("evidence outlives its leaf, and names the findings that rest on it") {
    TestDatabase database;
    const auto tenant = database.add_tenant("first");
    add_findings(database, tenant.caller.tenant, 4, 1);  // the third is superseded
    pg::SignalStore store{database.api(), nullptr, std::chrono::milliseconds{0}};
    const auto found = store.find(tenant.caller, "edr", "shared", {});
    REQUIRE(found.has_value());
    CHECK((*found).row.signal.name == "sign_in");
    CHECK((*found).row.signal.entities == std::vector<engine::EntityMention>{{"account", "a", "actor", true}});
    REQUIRE((*found).uses.size() == 3);
    CHECK(boost::uuids::to_string((*found).uses[2].finding.value()) == finding_id(4));
    CHECK((*found).uses[2].pattern == "pattern-0");
    CHECK((*found).uses[2].stage == "access");
    CHECK((*found).uses[2].incident == engine::IncidentNumber{1});
}
