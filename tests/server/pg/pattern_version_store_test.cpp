#include "server/pg/pattern_version_store.hpp"

#include "api/json/control_json.hpp"
#include "server/pg/migrator.hpp"
#include "tests/support/postgres_fixture.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>
#include <thread>
#include <vector>

using namespace catenary;
using namespace catenary::tests;
namespace pg = server::pg;
using api::ports::FailureCode;
using api::ports::PatternCondition;
using api::ports::PatternVersion;

namespace {

PatternVersion pattern(const std::string& id, const std::string& title = "T") {
    PatternVersion version;
    version.id = id;
    version.document_json = fmt::format(
        R"({{"id":"{}","title":"{}","severity":"medium","order":"sequence","within":"1h","stages":[{{"id":"a","match":{{"name":"x"}}}}]}})", id, title);
    return version;
}

PatternVersion shipped(engine::Mode mode) {
    PatternVersion version;
    version.id = "mfa-fatigue";
    version.mode = mode;
    version.shipped = true;
    return version;
}

struct Stores {
    TestDatabase database;
    TestTenant first = database.add_tenant("first");
    TestTenant second = database.add_tenant("second");
    pg::PatternVersionStore store{database.api()};
    std::string controls() { return database.ask("SELECT count(*) FROM control WHERE kind = 'pattern'"); }
    /// The entry that was written last, as the engine gets it.
    engine::PatternChange last_change() {
        const auto read =
            api::json::control_from_text("pattern", database.ask("SELECT body FROM control WHERE kind = 'pattern' ORDER BY position DESC LIMIT 1"));
        REQUIRE(read.has_value());
        return std::get<engine::PatternChange>(*read);
    }
};

}  // namespace

TEST_CASE("versions follow one another, the newest is the pattern, and each change is an entry of the log") {
    Stores s;
    REQUIRE(s.store.add(s.first.caller, pattern("p"), std::nullopt).has_value());
    CHECK(s.store.add(s.first.caller, pattern("p"), std::nullopt).error().code == FailureCode::conflict);
    const auto second = s.store.replace(s.first.caller, pattern("p", "U"), {1, engine::from_micros(1'772'750'831'000'000)});
    REQUIRE(second.has_value());
    CHECK(second->version == 2);
    CHECK(second->revision == 2);
    CHECK(second->changed_by == s.first.caller.key_id);
    CHECK(s.last_change().pattern->version == 2);
    CHECK(s.last_change().effective_from == engine::from_micros(1'772'750'831'000'000));
    auto off = pattern("p");
    off.mode = engine::Mode::off;
    const auto deployed = s.store.deploy(s.first.caller, off, {});
    REQUIRE(deployed.has_value());
    CHECK(deployed->revision == 3);
    CHECK(deployed->document_json == pattern("p", "U").document_json);
    CHECK(s.last_change().deployed() == engine::Mode::off);
    CHECK(s.last_change().pattern->title == "U");

    CHECK(s.store.find(s.first.caller, "p")->mode == engine::Mode::off);
    CHECK(s.store.version(s.first.caller, "p", 1)->document_json == pattern("p").document_json);
    CHECK(s.store.version(s.first.caller, "p", 3).error().code == FailureCode::not_found);
    const auto page = s.store.versions(s.first.caller, "p", {1, ""});
    REQUIRE(page.has_value());
    CHECK(page->items.at(0).version == 2);
    CHECK(s.store.versions(s.first.caller, "p", {1, *page->next})->items.at(0).version == 1);
    CHECK(s.controls() == "3");
}

TEST_CASE("a change made for another revision is stale and leaves nothing behind") {
    Stores s;
    REQUIRE(s.store.add(s.first.caller, pattern("p"), std::nullopt).has_value());
    CHECK(s.store.replace(s.first.caller, pattern("p", "U"), {2, {}}).error().code == FailureCode::stale);
    CHECK(s.store.deploy(s.first.caller, pattern("p"), {7, {}}).error().code == FailureCode::stale);
    CHECK(s.store.retire(s.first.caller, "p", {0, {}}).error().code == FailureCode::stale);
    CHECK(s.store.deploy(s.first.caller, shipped(engine::Mode::off), {5, {}}).error().code == FailureCode::stale);
    CHECK(s.store.replace(s.first.caller, pattern("q"), {}).error().code == FailureCode::not_found);
    CHECK(s.store.retire(s.first.caller, "q", {}).error().code == FailureCode::not_found);
    CHECK(s.controls() == "1");
    CHECK(s.store.find(s.first.caller, "p")->revision == 1);
}

TEST_CASE("of two changes for one revision just one is made") {
    Stores s;
    REQUIRE(s.store.add(s.first.caller, pattern("p"), std::nullopt).has_value());
    std::vector<std::thread> threads;
    std::vector<int> outcomes(4);
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
        threads.emplace_back([&, i] { outcomes[i] = s.store.replace(s.first.caller, pattern("p", fmt::format("V{}", i)), {1, {}}).has_value() ? 1 : 0; });
    }
    for (auto& thread : threads) thread.join();
    CHECK(outcomes[0] + outcomes[1] + outcomes[2] + outcomes[3] == 1);
    CHECK(s.store.find(s.first.caller, "p")->version == 2);
    CHECK(s.controls() == "2");
}

TEST_CASE("a retired pattern is off and gone, keeps its versions, and comes back as the next version") {
    Stores s;
    REQUIRE(s.store.add(s.first.caller, pattern("p"), std::nullopt).has_value());
    REQUIRE(s.store.retire(s.first.caller, "p", {}).has_value());
    CHECK(s.last_change().deployed() == engine::Mode::off);
    CHECK(s.last_change().pattern->id == "p");
    CHECK(s.store.find(s.first.caller, "p").error().code == FailureCode::not_found);
    CHECK(s.store.list(s.first.caller)->empty());
    CHECK(s.store.version(s.first.caller, "p", 1).has_value());
    const auto again = s.store.add(s.first.caller, pattern("p", "again"), std::nullopt);
    REQUIRE(again.has_value());
    CHECK(again->version == 2);
    CHECK(again->revision == 3);
}

TEST_CASE("a version on trial stands beside the one in production, takes its place in one entry, and gives it back") {
    Stores s;
    REQUIRE(s.store.add(s.first.caller, pattern("p"), std::nullopt).has_value());
    auto second = pattern("p", "U");
    second.mode = engine::Mode::flighting;
    const auto tried = s.store.replace(s.first.caller, second, {});
    REQUIRE(tried.has_value());
    CHECK(tried->version == 2);
    CHECK(tried->mode == engine::Mode::flighting);
    CHECK(tried->production == 1);
    CHECK(tried->flighting == 2);
    CHECK(s.last_change().deployed() == engine::Mode::flighting);
    CHECK(s.store.list(s.first.caller)->at(0).production == 1);

    second.version = 2;
    second.mode = engine::Mode::production;
    const auto promoted = s.store.deploy(s.first.caller, second, {tried->revision, {}});
    CHECK(promoted->production == 2);
    CHECK_FALSE(promoted->flighting.has_value());
    CHECK(s.last_change().pattern->version == 2);

    auto first = pattern("p");
    const auto back = s.store.deploy(s.first.caller, first, {});
    CHECK(back->production == 1);
    CHECK(back->version == 2);
    CHECK(back->mode == engine::Mode::off);
    CHECK(back->document_json == second.document_json);  // the newest is still what is shown
    CHECK(s.last_change().pattern->version == 1);
    CHECK(s.last_change().pattern->title == "T");
    CHECK(s.controls() == "4");
    CHECK(s.database.ask("SELECT count(*) FROM audit WHERE action = 'pattern' AND target = 'p'") == "4");
    first.version = 3;
    CHECK(s.store.deploy(s.first.caller, first, {}).error().code == FailureCode::not_found);
    CHECK(s.controls() == "4");
}

TEST_CASE("a trial is ended by what is in production coming into production once more") {
    Stores s;
    REQUIRE(s.store.add(s.first.caller, pattern("p"), std::nullopt).has_value());
    CHECK(s.store.end_trial(s.first.caller, "p", {}).error().code == FailureCode::not_found);
    auto second = pattern("p", "U");
    second.mode = engine::Mode::flighting;
    REQUIRE(s.store.replace(s.first.caller, second, {}).has_value());
    CHECK(s.store.end_trial(s.first.caller, "p", {1, {}}).error().code == FailureCode::stale);
    const auto ended = s.store.end_trial(s.first.caller, "p", {});
    CHECK(ended->production == 1);
    CHECK_FALSE(ended->flighting.has_value());
    CHECK(s.last_change().pattern->version == 1);
    CHECK(s.last_change().deployed() == engine::Mode::production);
    second.mode = engine::Mode::off;
    REQUIRE(s.store.deploy(s.first.caller, second, {}).has_value());
    CHECK_FALSE(s.store.find(s.first.caller, "p")->production.has_value());
}

TEST_CASE("of what ships only the deployment is stored, by tenant") {
    Stores s;
    REQUIRE(s.store.deploy(s.first.caller, shipped(engine::Mode::off), {1, {}}).has_value());
    CHECK(s.database.ask("SELECT count(*) FROM pattern_version") == "0");
    CHECK(s.database.ask("SELECT length(body) < 80 FROM control WHERE kind = 'pattern'") == "t");
    CHECK(s.last_change().deployed() == engine::Mode::off);
    const auto listed = s.store.list(s.first.caller);
    REQUIRE(listed->size() == 1);
    CHECK(listed->at(0).shipped);
    CHECK(listed->at(0).revision == 2);
    CHECK(s.store.find(s.second.caller, "mfa-fatigue").error().code == FailureCode::not_found);
    CHECK(s.store.deploy(s.first.caller, shipped(engine::Mode::production), {})->revision == 3);
}

TEST_CASE("patterns and their versions are bounded, and retired ones make room") {
    Stores s;
    const auto tenant = s.first.caller.tenant.value();
    s.database.run(fmt::format("INSERT INTO pattern SELECT {}, 'p' || n, 1, 'off', 1, false, false, now(), 'k' FROM generate_series(1, {}) n", tenant,
                               pg::PatternVersionStore::usual_documents));
    CHECK(s.store.add(s.first.caller, pattern("one-more"), std::nullopt).error().code == FailureCode::invalid);
    CHECK(s.store.refused(s.first.caller.tenant) == 1);
    CHECK(s.store.refused(s.second.caller.tenant) == 0);
    pg::PatternVersionStore roomier{s.database.api(), {}, pg::PatternVersionStore::usual_documents + 1};
    CHECK(roomier.add(s.first.caller, pattern("in-a-larger-catalogue"), std::nullopt).has_value());
    s.database.run("UPDATE pattern SET retired = true WHERE id = 'in-a-larger-catalogue'");
    CHECK(s.store.add(s.second.caller, pattern("another-tenants"), std::nullopt).has_value());
    s.database.run("UPDATE pattern SET retired = true WHERE id = 'p1'");
    CHECK(s.store.add(s.first.caller, pattern("one-more"), std::nullopt).has_value());
    s.database.run(fmt::format("UPDATE pattern SET version = {} WHERE id = 'one-more'", pg::PatternVersionStore::most_versions));
    CHECK(s.store.replace(s.first.caller, pattern("one-more", "U"), {}).error().code == FailureCode::invalid);
}

TEST_CASE("patterns of a database that knew no deployments keep their newest version and its mode") {
    Stores s;
    REQUIRE(s.store.add(s.first.caller, pattern("p"), std::nullopt).has_value());
    REQUIRE(s.store
                .replace(s.first.caller,
                         [] {
                             auto next = pattern("p", "U");
                             next.mode = engine::Mode::off;
                             return next;
                         }(),
                         {})
                .has_value());
    s.database.run("DROP TABLE pattern; DELETE FROM schema_migration WHERE name = '0006_patterns.sql'");
    REQUIRE(pg::migrate(s.database.superuser()).has_value());
    s.database.run("ALTER TABLE pattern ADD COLUMN production int4, ADD COLUMN flighting int4");  // as a later migration does
    const auto found = s.store.find(s.first.caller, "p");
    REQUIRE(found.has_value());
    CHECK(found->version == 2);
    CHECK(found->revision == 2);
    CHECK(found->mode == engine::Mode::off);
    CHECK(s.store.replace(s.first.caller, pattern("p", "V"), {2, {}})->version == 3);
}

TEST_CASE("another tenant's patterns can be neither seen nor changed") {
    Stores s;
    REQUIRE(s.store.add(s.first.caller, pattern("p"), std::nullopt).has_value());
    CHECK(s.store.find(s.second.caller, "p").error().code == FailureCode::not_found);
    CHECK(s.store.version(s.second.caller, "p", 1).error().code == FailureCode::not_found);
    CHECK(s.store.retire(s.second.caller, "p", {}).error().code == FailureCode::not_found);
    CHECK(s.store.find(s.first.caller, "p").has_value());
}
