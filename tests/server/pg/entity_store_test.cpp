#include "server/pg/entity_store.hpp"

#include "tests/support/postgres_fixture.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>
#include <vector>

using namespace catenary;
using namespace catenary::tests;
namespace pg = server::pg;
using api::ports::EntityFilter;

namespace {

void add(TestDatabase& database, engine::TenantId tenant, const std::string& kind, const std::vector<std::string>& values) {
    for (const auto& value : values) {
        database.run(
            fmt::format("INSERT INTO entity (tenant, kind, value, identifies) VALUES ({}, '{}', '{}', '{}' <> 'root')", tenant.value(), kind, value, value));
    }
}

std::vector<std::string> listed(pg::EntityStore& store, const api::Caller& caller, const EntityFilter& filter, std::size_t limit) {
    std::vector<std::string> all;
    api::ports::PageRequest request{limit, ""};
    for (;;) {
        const auto page = store.page(caller, filter, request);
        REQUIRE(page.has_value());
        CHECK((*page).items.size() <= limit);
        for (const auto& row : (*page).items) all.push_back(row.key.kind + ":" + row.key.value + (row.identifies ? "" : "!"));
        if (!(*page).next) return all;
        request.after = *(*page).next;
    }
}

}  // namespace

TEST_CASE("entities are listed by kind and value in pages of any size, of the caller's tenant only") {
    TestDatabase database;
    const auto first = database.add_tenant("first");
    const auto second = database.add_tenant("second");
    add(database, first.caller.tenant, "host", {"b", "a", "aa", "a_", "a%"});
    add(database, first.caller.tenant, "account", {"root", "Ann", "ann"});
    add(database, first.caller.tenant, "zone", {"z"});
    add(database, second.caller.tenant, "host", {"a", "secret"});
    // Without patience each page ends with its kind.
    for (const auto patience : {std::chrono::milliseconds{1'000}, std::chrono::milliseconds{0}}) {
        pg::EntityStore store{database.api(), patience};
        for (const std::size_t limit : {1U, 2U, 3U, 8U, 9U, 500U}) {
            CAPTURE(limit);
            CHECK(listed(store, first.caller, {}, limit) ==
                  std::vector<std::string>{"account:Ann", "account:ann", "account:root!", "host:a", "host:a%", "host:a_", "host:aa", "host:b", "zone:z"});
            CHECK(listed(store, first.caller, {{"zone", "host", "none"}, ""}, limit) ==
                  std::vector<std::string>{"host:a", "host:a%", "host:a_", "host:aa", "host:b", "zone:z"});
            CHECK(listed(store, first.caller, {{}, "A"}, limit) ==
                  std::vector<std::string>{"account:ann", "host:a", "host:a%", "host:a_", "host:aa"});  // folded where the kind is
            CHECK(listed(store, first.caller, {{"host"}, "a%"}, limit) == std::vector<std::string>{"host:a%"});
        }
        CHECK(listed(store, second.caller, {}, 10) == std::vector<std::string>{"host:a", "host:secret"});
    }
}

TEST_CASE("one entity is found by its canonical key, in its own tenant") {
    TestDatabase database;
    const auto first = database.add_tenant("first");
    const auto second = database.add_tenant("second");
    add(database, first.caller.tenant, "account", {"root", "ann"});
    pg::EntityStore store{database.api()};
    const auto root = store.find(first.caller, {"account", "root"});
    REQUIRE(root.has_value());
    CHECK_FALSE((*root).identifies);
    for (const auto& nobody :
         {store.find(second.caller, {"account", "ann"}), store.find(first.caller, {"host", "ann"}), store.find(first.caller, {"account", "an"})}) {
        REQUIRE(nobody.has_error());
        CHECK(nobody.error().code == api::ports::FailureCode::not_found);
    }
}

TEST_CASE("a cursor of another list is no cursor of entities") {
    TestDatabase database;
    const auto tenant = database.add_tenant("first");
    pg::EntityStore store{database.api()};
    const auto page = store.page(tenant.caller, {}, {10, "1:a"});
    REQUIRE(page.has_error());
    CHECK(page.error().code == api::ports::FailureCode::invalid);
}
