#include "server/pg/incident_store.hpp"

#include "server/pg/finding_store.hpp"
#include "tests/server/pg/stored_results.hpp"
#include "tests/support/postgres_fixture.hpp"

#include <doctest/doctest.h>
#include <boost/uuid/string_generator.hpp>
#include <boost/uuid/uuid_io.hpp>

#include <algorithm>
#include <functional>
#include <set>
#include <tuple>

using namespace catenary;
using namespace catenary::tests;
using namespace std::chrono_literals;
namespace pg = server::pg;
using api::ports::FailureCode;
using api::ports::FindingFilter;
using api::ports::IncidentFilter;
using engine::IncidentNumber;

namespace {

template <class Read>
auto all_pages(Read&& read, std::size_t limit) {
    api::ports::PageRequest request{limit, ""};
    auto items = decltype((*read(request)).items){};
    for (;;) {
        const auto page = read(request);
        REQUIRE(page.has_value());
        items.insert(items.end(), (*page).items.begin(), (*page).items.end());
        if (!(*page).next) return items;
        CHECK((*page).items.size() == limit);
        request.after = *(*page).next;
    }
}

}  // namespace

TEST_CASE("every sort of the incident list, by one key or several, pages completely, in order, ties by newest number") {
    TestDatabase database;
    const auto tenant = database.add_tenant("first");
    add_incidents(database, tenant.caller.tenant, 40);
    pg::IncidentStore store{database.api()};
    using Column = IncidentFilter::Column;
    using engine::IncidentRecord;
    using Values = std::function<double(const IncidentRecord&)>;
    const auto seconds = [](engine::Timestamp time) { return static_cast<double>(engine::to_micros(time)) / 1e6; };
    const std::vector<std::pair<Column, Values>> columns{{Column::score, [](const auto& i) { return i.score; }},
                                                         {Column::severity, [](const auto& i) { return static_cast<double>(i.severity); }},
                                                         {Column::created, [&](const auto& i) { return seconds(i.created); }},
                                                         {Column::updated, [&](const auto& i) { return seconds(i.updated); }},
                                                         {Column::first_activity, [&](const auto& i) { return seconds(i.first_activity); }},
                                                         {Column::last_activity, [&](const auto& i) { return seconds(i.last_activity); }},
                                                         {Column::signal_count, [](const auto& i) { return static_cast<double>(i.signal_count); }},
                                                         {Column::number, [](const auto& i) { return static_cast<double>(i.number.value()); }}};
    const auto check = [&](const std::vector<std::pair<std::size_t, bool>>& keys) {
        IncidentFilter filter;
        filter.include_redirected = true;
        filter.sort.clear();
        std::string named;
        for (const auto& [column, descending] : keys) {
            filter.sort.push_back({columns[column].first, descending});
            named += (descending ? " -" : " ") + std::to_string(column);
        }
        CAPTURE(named);
        for (const std::size_t limit : {3U, 40U}) {
            const auto items = all_pages([&](const auto& request) { return store.page(tenant.caller, filter, request); }, limit);
            CHECK(items.size() == 40);
            for (std::size_t i = 1; i < items.size(); ++i) {
                const auto in_order = [&] {
                    for (const auto& [column, descending] : keys) {
                        const auto a = columns[column].second(items[i - 1]), b = columns[column].second(items[i]);
                        if (a < b) return !descending;
                        if (b < a) return descending;
                    }
                    return items[i - 1].number > items[i].number;
                };
                CHECK(in_order());
            }
        }
    };
    for (std::size_t column = 0; column < columns.size(); ++column) {
        check({{column, true}});
        check({{column, false}});
    }
    check({{0, true}, {2, false}});
    check({{1, false}, {2, true}, {7, false}});
    check({{2, true}, {1, true}, {0, false}});
}

TEST_CASE("each filter of the incident list holds by itself and together with others") {
    TestDatabase database;
    const auto tenant = database.add_tenant("first");
    add_incidents(database, tenant.caller.tenant, 40);
    database.run("UPDATE incident SET labels = '{vip}' WHERE number <= 2; UPDATE incident SET labels = '{apt,drill}' WHERE number = 3");
    pg::IncidentStore store{database.api()};
    const auto count = [&](auto&& set) {
        IncidentFilter filter;
        set(filter);
        return all_pages([&](const auto& request) { return store.page(tenant.caller, filter, request); }, 7).size();
    };
    const engine::Timestamp midnight{std::chrono::sys_days{std::chrono::year{2026} / 3 / 1}};
    CHECK(count([](auto&) {}) == 36);  // four are redirected
    CHECK(count([](auto& f) { f.include_redirected = true; }) == 40);
    CHECK(count([](auto& f) { f.statuses = {engine::IncidentStatus::new_}; }) == 20);
    CHECK(count([](auto& f) { f.statuses = {engine::IncidentStatus::new_, engine::IncidentStatus::active}; }) == 36);
    CHECK(count([](auto& f) { f.severities = {engine::Severity::high}; }) == 10);
    CHECK(count([](auto& f) { f.classifications = {engine::Classification::true_positive}; }) == 1);
    CHECK(count([](auto& f) { f.owners = {"ann"}; }) == 5);
    CHECK(count([](auto& f) { f.labels = {"vip", "drill"}; }) == 3);
    CHECK(count([](auto& f) { f.patterns = {"pattern-1", "unknown"}; }) == 20);
    CHECK(count([](auto& f) { f.domains = {"endpoint"}; }) == 0);
    CHECK(count([](auto& f) { f.tactics = {"TA0001"}; }) == 36);
    CHECK(count([](auto& f) { f.techniques = {"T1"}; }) == 20);
    CHECK(count([](auto& f) { f.entities = {{"host", "h1"}}; }) == 8);
    CHECK(count([](auto& f) { f.score_min = 0.5; }) == 18);                            // n % 4 is 2 or 3, without 10 and 30
    CHECK(count([&](auto& f) { f.created = {midnight + 1h, midnight + 2h}; }) == 12);  // n % 3 is 1, without 10 and 40
    CHECK(count([&](auto& f) { f.first_activity = {std::nullopt, midnight + 1h}; }) == 12);
    CHECK(count([&](auto& f) { f.last_activity = {midnight + 2h + 38min, std::nullopt}; }) == 1);
    CHECK(count([&](auto& f) { f.updated = {midnight + 3h, std::nullopt}; }) == 0);
    CHECK(count([](auto& f) { f.q = "INCIDENT 3"; }) == 10);  // 3, 31 to 39
    CHECK(count([](auto& f) { f.q = "100%"; }) == 0);
    CHECK(count([](auto& f) {
              f.statuses = {engine::IncidentStatus::new_};
              f.entities = {{"host", "h1"}};
              f.owners = {"ann"};
          }) == 1);  // 21
}

TEST_CASE("an incident is read whole, and only by its tenant") {
    TestDatabase database;
    const auto first = database.add_tenant("first");
    const auto second = database.add_tenant("second");
    add_incidents(database, first.caller.tenant, 10);
    pg::IncidentStore store{database.api()};
    const auto found = store.find(first.caller, IncidentNumber{2});
    REQUIRE(found.has_value());
    CHECK((*found).title == "Incident 2");
    CHECK((*found).severity == engine::Severity::medium);
    CHECK((*found).status == engine::IncidentStatus::active);
    CHECK((*found).score == 0.5);
    CHECK((*found).entities == std::vector<engine::EntityKey>{{"host", "h1"}});
    CHECK((*found).related == std::vector<IncidentNumber>{IncidentNumber{1}, IncidentNumber{3}});
    CHECK((*found).signal_count == 2);
    CHECK_FALSE((*found).classification.has_value());
    CHECK((*store.find(first.caller, IncidentNumber{10})).merged_into == IncidentNumber{1});
    CHECK((*store.find(first.caller, IncidentNumber{3})).classification == engine::Classification::true_positive);
    CHECK(store.find(first.caller, IncidentNumber{11}).error().code == FailureCode::not_found);
    CHECK(store.find(second.caller, IncidentNumber{2}).error().code == FailureCode::not_found);
    CHECK(store.evidence(second.caller, IncidentNumber{1}, {}).error().code == FailureCode::not_found);
    CHECK(store.activity(second.caller, IncidentNumber{1}, {}, {}).error().code == FailureCode::not_found);
    CHECK(store.findings(second.caller, IncidentNumber{1}).error().code == FailureCode::not_found);
}

TEST_CASE("evidence is one item a signal, in time order, of the earliest finding that is not superseded") {
    TestDatabase database;
    const auto tenant = database.add_tenant("first");
    add_incidents(database, tenant.caller.tenant, 1);
    add_findings(database, tenant.caller.tenant, 4, 5);  // the third is superseded
    pg::IncidentStore store{database.api()};
    for (const std::size_t limit : {1U, 4U, 100U}) {
        const auto items = all_pages(
            [&](const auto& request) {
                auto evidence = store.evidence(tenant.caller, IncidentNumber{1}, request);
                REQUIRE(evidence.has_value());
                return api::ports::Outcome<api::ports::Page<api::ports::EvidenceRow>>{std::move(evidence->page)};
            },
            limit);
        REQUIRE(items.size() == 1 + 3 * 4);
        CHECK(items[0].signal.signal.id == "shared");
        CHECK(boost::uuids::to_string(items[0].finding.value()) == finding_id(1));
        CHECK(items[0].stage == "access");
        CHECK(items[0].signal.signal.entities == std::vector<engine::EntityMention>{{"account", "a", "actor", true}});
        CHECK(items[0].signal.title == "A sign-in");
        for (std::size_t i = 1; i < items.size(); ++i) {
            const auto& a = items[i - 1].signal.signal;
            const auto& b = items[i].signal.signal;
            CHECK(std::tie(a.time, a.source, a.id) < std::tie(b.time, b.source, b.id));
        }
    }
    const auto activity = all_pages([&](const auto& request) { return store.activity(tenant.caller, IncidentNumber{1}, {}, request); }, 4);
    REQUIRE(activity.size() == 10);
    for (std::size_t i = 0; i < activity.size(); ++i) CHECK(activity[i].detail == "line " + std::to_string(i));
    database.run("UPDATE incident_activity SET what = 'commented' WHERE detail IN ('line 3', 'line 8')");
    const auto comments = all_pages([&](const auto& request) { return store.activity(tenant.caller, IncidentNumber{1}, {"commented"}, request); }, 1);
    REQUIRE(comments.size() == 2);
    CHECK(comments[1].detail == "line 8");
    const auto findings = store.findings(tenant.caller, IncidentNumber{1});
    REQUIRE(findings.has_value());
    REQUIRE((*findings).size() == 3);
    CHECK((*findings)[2].title == "Finding 4");
}

TEST_CASE("a finding comes with so many references at most, and what is cut short is counted") {
    TestDatabase database;
    const auto tenant = database.add_tenant("first");
    add_findings(database, tenant.caller.tenant, 1, 3);
    const auto all = all_pages([&](const auto& request) { return pg::FindingStore{database.api()}.page(tenant.caller, FindingFilter{}, request); }, 10);
    REQUIRE(all.size() == 1);
    const std::int64_t total = all.front().record.evidence_total;
    for (const int most : {2, 3}) {
        CAPTURE(most);
        pg::FindingStore store{database.api(), most};
        const auto found = store.find(tenant.caller, all.front().record.id);
        REQUIRE(found.has_value());
        CHECK(found->evidence.size() == static_cast<std::size_t>(most));
        CHECK(found->evidence.front().first.id == all.front().evidence.front().first.id);
        CHECK(store.cut_short(tenant.caller.tenant) == (most < total ? 1 : 0));
    }
}

TEST_CASE("findings are listed newest first with their evidence, by state, mode and what they are about") {
    TestDatabase database;
    const auto tenant = database.add_tenant("first");
    add_findings(database, tenant.caller.tenant, 12, 3);
    pg::FindingStore store{database.api()};
    const auto titles = [&](const FindingFilter& filter, std::size_t limit) {
        std::vector<std::string> found;
        for (const auto& item : all_pages([&](const auto& request) { return store.page(tenant.caller, filter, request); }, limit)) {
            CHECK(item.evidence.size() == 3);
            CHECK(item.evidence[0].first.id == "shared");
            CHECK(item.evidence[0].second == "access");
            found.push_back(item.record.title);
        }
        return found;
    };
    const std::vector<std::string> live{"Finding 11", "Finding 8", "Finding 7", "Finding 4", "Finding 2", "Finding 1"};
    FindingFilter filter;
    CHECK(titles(filter, 2) == live);
    CHECK(titles(filter, 50) == live);
    filter.patterns = {"pattern-1"};
    CHECK(titles(filter, 50) == std::vector<std::string>{"Finding 11", "Finding 7", "Finding 1"});
    filter = {};
    filter.entities = {{"account", "a0"}};
    CHECK(titles(filter, 50) == std::vector<std::string>{"Finding 8", "Finding 4", "Finding 2"});
    filter = {};
    filter.states = {engine::FindingState::superseded};
    CHECK(titles(filter, 50) == std::vector<std::string>{"Finding 12", "Finding 9", "Finding 6", "Finding 3"});
    filter = {};
    filter.flighting = true;
    CHECK(titles(filter, 50) == std::vector<std::string>{"Finding 10", "Finding 5"});
    filter = {};
    filter.incident = IncidentNumber{2};
    CHECK(titles(filter, 50).empty());

    const auto one = store.find(tenant.caller, engine::FindingId{boost::uuids::string_generator{}(finding_id(3))});
    REQUIRE(one.has_value());
    CHECK((*one).record.state == engine::FindingState::superseded);
    CHECK((*one).record.score.contributions.size() == 1);
    CHECK((*one).record.score.prior_bits == -6.629356620079623);
    CHECK((*one).record.stages[0].id == "access");
    CHECK((*one).record.principals == std::vector<engine::EntityKey>{{"account", "a1"}});
    const auto other = database.add_tenant("second");
    CHECK(store.find(other.caller, (*one).record.id).error().code == FailureCode::not_found);
}

TEST_CASE("incidents that share an entity are found with those that share a pattern or technique, never redirected ones or the incident itself") {
    TestDatabase database;
    const auto tenant = database.add_tenant("first");
    add_incidents(database, tenant.caller.tenant, 40);
    pg::IncidentStore store{database.api()};
    auto incident = *store.find(tenant.caller, IncidentNumber{6});  // pattern-0, T0, host:h1
    incident.entities = {{"host", "h1"}};
    const auto numbers = [&](std::size_t most) {
        std::vector<std::int64_t> found;
        const auto alike = store.alike(tenant.caller, incident, most);
        for (const auto& other : *alike) found.push_back(other.number.value());
        return found;
    };
    const auto all = numbers(200);
    CHECK(std::set(all.begin(), all.end()).size() == all.size());
    // n % 5 == 1 shares the host, even n the pattern; of those 6 is the incident itself, tens are redirected
    for (std::int64_t n = 1; n <= 40; ++n) {
        CAPTURE(n);
        const bool expected = n != 6 && n % 10 != 0 && (n % 5 == 1 || n % 2 == 0);
        CHECK((std::ranges::find(all, n) != all.end()) == expected);
    }
    CHECK(numbers(2).size() == 4);
    incident.patterns = {};
    incident.techniques = {};
    CHECK(numbers(200).size() == 7);
    const auto other = database.add_tenant("second");
    CHECK((*store.alike(other.caller, incident, 10)).empty());
}
