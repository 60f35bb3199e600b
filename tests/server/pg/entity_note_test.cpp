#include "server/pg/entity_store.hpp"
#include "server/pg/tenant_store.hpp"

#include "tests/support/postgres_fixture.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>
#include <vector>

using namespace catenary;
using namespace catenary::tests;
namespace pg = server::pg;
using api::entities::Criticality;
using api::ports::EntityFilter;
using api::ports::EntityRow;
using api::ports::FailureCode;

namespace {

EntityRow noted(const std::string& value, std::vector<std::string> tags, std::optional<Criticality> criticality, const std::string& kind = "account") {
    EntityRow row{{kind, value}, true};
    row.notes.tags = std::move(tags);
    row.notes.criticality = criticality;
    return row;
}

std::vector<std::string> listed(pg::EntityStore& store, const api::Caller& caller, const EntityFilter& filter, std::size_t limit) {
    std::vector<std::string> all;
    api::ports::PageRequest request{limit, ""};
    for (;;) {
        const auto page = store.page(caller, filter, request);
        REQUIRE(page.has_value());
        CHECK((*page).items.size() <= limit);
        for (const auto& row : (*page).items) all.push_back(row.key.kind + ":" + row.key.value);
        if (!(*page).next) return all;
        request.after = *(*page).next;
    }
}

}  // namespace

TEST_CASE("notes are stored with their control entry and its audit, and the entity is found before a signal mentions it") {
    TestDatabase database;
    const auto first = database.add_tenant("first");
    const auto second = database.add_tenant("second");
    int told = 0;
    pg::EntityStore store{database.api(), std::chrono::seconds{1}, [&] { ++told; }};
    EntityRow wanted = noted("alice", {"board", "vip"}, Criticality::critical);
    wanted.notes.facts_json = R"({"devices":["lt-1"]})";
    wanted.notes.link = engine::LinkRule::deny;
    const auto made = store.change(first.caller, wanted, 0);
    REQUIRE(made.has_value());
    CHECK(told == 1);
    const auto found = store.find(first.caller, wanted.key);
    const auto listed_page = store.page(first.caller, {}, {10, ""});
    REQUIRE(found.has_value());
    REQUIRE(listed_page.has_value());
    for (const auto& row : {*made, *found, (*listed_page).items.at(0)}) {
        CHECK(row.identifies);
        CHECK(row.notes.tags == wanted.notes.tags);
        CHECK(row.notes.criticality == Criticality::critical);
        CHECK(row.notes.facts_json == wanted.notes.facts_json);
        CHECK(row.notes.link == engine::LinkRule::deny);
        CHECK(row.revision == 1);
        CHECK(row.changed.has_value());
        CHECK(row.changed_by == first.caller.key_id);
    }
    CHECK(
        database.ask("SELECT c.kind || ' ' || c.body FROM control c JOIN entity_note n USING (position)") ==
        R"(entity {"id":"account:alice","kind":"account","value":"alice","tags":["board","vip"],"criticality":"critical","facts":{"devices":["lt-1"]},"link":"deny"})");
    pg::TenantStore tenants{database.api()};
    const auto audit = tenants.audit(first.caller, {{}, {"entity"}, {}, {}}, {10, ""});
    REQUIRE(audit.has_value());
    REQUIRE((*audit).items.size() == 1);
    CHECK((*audit).items[0].actor == first.caller.key_id);
    CHECK((*audit).items[0].target == "account:alice");
    CHECK(store.find(second.caller, wanted.key).error().code == FailureCode::not_found);
    CHECK(listed(store, second.caller, {{}, "", {"vip"}, {}}, 10).empty());
}

TEST_CASE("of two changes of one revision one is stale and leaves nothing behind") {
    TestDatabase database;
    const auto tenant = database.add_tenant("first");
    pg::EntityStore store{database.api()};
    CHECK(store.change(tenant.caller, noted("alice", {"vip"}, {}), 3).error().code == FailureCode::stale);
    CHECK(database.ask("SELECT count(*) FROM entity") == "0");
    REQUIRE(store.change(tenant.caller, noted("alice", {"vip"}, {}), 0).has_value());
    CHECK(store.change(tenant.caller, noted("alice", {"x"}, {}), 0).error().code == FailureCode::stale);
    CHECK(database.ask("SELECT count(*) FROM control WHERE kind = 'entity'") == "1");
    CHECK(database.ask("SELECT string_agg(tag, ',') FROM entity_tag") == "vip");
    const auto forced = store.change(tenant.caller, noted("alice", {"x"}, Criticality::low), {});
    REQUIRE(forced.has_value());
    CHECK((*forced).revision == 2);
    CHECK(database.ask("SELECT string_agg(tag || criticality, ',') FROM entity_tag") == "x1");
}

TEST_CASE("entities are listed by tag and criticality in pages of any size, alternatives merged") {
    TestDatabase database;
    const auto tenant = database.add_tenant("first");
    const auto other = database.add_tenant("second");
    pg::EntityStore store{database.api()};
    const auto note = [&](const EntityRow& row) { REQUIRE(store.change(tenant.caller, row, {}).has_value()); };
    note(noted("ann", {"vip"}, Criticality::high));
    note(noted("bob", {"board", "vip"}, Criticality::low));
    note(noted("cid", {"board"}, {}));
    note(noted("dan", {}, Criticality::high));
    note(noted("vault", {"vip"}, Criticality::critical, "host"));
    note(noted("eve", {"vip"}, Criticality::high));
    note(noted("eve", {}, {}));  // taken back
    REQUIRE(store.change(other.caller, noted("ann", {"vip"}, Criticality::high), {}).has_value());
    database.run(fmt::format("INSERT INTO entity (tenant, kind, value, identifies) VALUES ({}, 'account', 'zoe', true)", tenant.caller.tenant.value()));
    for (const std::size_t limit : {1U, 2U, 3U, 500U}) {
        CAPTURE(limit);
        const auto with = [&](std::vector<std::string> tags, std::vector<Criticality> levels, std::vector<std::string> kinds = {}, std::string prefix = "") {
            return listed(store, tenant.caller, {std::move(kinds), std::move(prefix), std::move(tags), std::move(levels)}, limit);
        };
        using All = std::vector<std::string>;
        CHECK(with({"vip"}, {}) == All{"account:ann", "account:bob", "host:vault"});
        CHECK(with({"vip", "board"}, {}) == All{"account:ann", "account:bob", "account:cid", "host:vault"});
        CHECK(with({}, {Criticality::high}) == All{"account:ann", "account:dan"});
        CHECK(with({}, {Criticality::critical, Criticality::low}) == All{"account:bob", "host:vault"});
        CHECK(with({"vip"}, {Criticality::high, Criticality::critical}) == All{"account:ann", "host:vault"});
        CHECK(with({"vip"}, {}, {"host"}) == All{"host:vault"});
        CHECK(with({"vip"}, {}, {}, "B") == All{"account:bob"});
        CHECK(with({"none"}, {}).empty());
        CHECK(with({}, {}) == All{"account:ann", "account:bob", "account:cid", "account:dan", "account:eve", "account:zoe", "host:vault"});
    }
}

TEST_CASE("lists with filters walk an index in their own order") {
    TestDatabase database;
    const auto tenant = database.add_tenant("first");
    const auto id = tenant.caller.tenant.value();
    database.run(fmt::format(R"(
        INSERT INTO entity (tenant, kind, value, identifies) SELECT {0}, 'account', 'a' || n, true FROM generate_series(1, 60000) n;
        INSERT INTO entity_note (tenant, kind, value, tags, criticality, facts, link, revision, position, changed, changed_by)
            SELECT {0}, 'account', 'a' || n, ARRAY['vip'], 1 + n % 4, '{{}}', 'usual', 1, n, now(), 'k' FROM generate_series(1, 60000) n;
        INSERT INTO entity_tag (tenant, tag, kind, value, criticality) SELECT {0}, 'vip', 'account', 'a' || n, 1 + n % 4 FROM generate_series(1, 60000) n;
        ANALYZE entity; ANALYZE entity_note; ANALYZE entity_tag)",
                             id));
    pg::EntityStore store{database.api()};
    for (const EntityFilter& filter : {EntityFilter{{}, "", {}, {}}, EntityFilter{{}, "", {"vip"}, {}}, EntityFilter{{}, "", {}, {Criticality::high}},
                                       EntityFilter{{}, "", {"vip", "x"}, {Criticality::high, Criticality::low}}}) {
        const auto begin = std::chrono::steady_clock::now();
        constexpr int pages = 20;
        api::ports::PageRequest request{50, ""};
        for (int i = 0; i < pages; ++i) {
            const auto page = store.page(tenant.caller, filter, request);
            REQUIRE(page.has_value());
            REQUIRE((*page).items.size() == 50);
            REQUIRE((*page).next.has_value());
            request.after = *(*page).next;
        }
        const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
        MESSAGE("a page of 50 out of 60,000: " << took.count() / pages << " ms");
    }
    std::string plan;
    pqxx::connection connection{database.dsn(pg::Role::api).text()};
    pqxx::work transaction{connection};
    transaction.exec(fmt::format("SET LOCAL app.tenant = '{}'", id));
    for (const auto& row : transaction.exec("EXPLAIN SELECT value FROM entity_tag WHERE tag = 'vip' AND criticality = 3 AND kind = 'account' AND value > 'a5' "
                                            "ORDER BY value LIMIT 50")) {
        plan += row[0].c_str();
    }
    CAPTURE(plan);
    CHECK(plan.find("Index Only Scan using entity_tag_tenant_tag_criticality_kind_value_idx") != std::string::npos);
    CHECK(plan.find("Sort") == std::string::npos);
}
