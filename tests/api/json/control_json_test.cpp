#include "api/json/control_json.hpp"

#include "api/catalogue/shipped_patterns.hpp"

#include <doctest/doctest.h>
#include <boost/uuid/string_generator.hpp>

#include <string>
#include <variant>

using namespace catenary;
using namespace std::chrono_literals;
namespace json = api::json;

namespace {

template <class Entry>
Entry back(const Entry& entry) {
    const auto read = json::control_from_text(json::control_kind(engine::ControlBody{entry}), json::control_to_text(entry));
    REQUIRE(read.has_value());
    return std::get<Entry>(*read);
}

}  // namespace

TEST_CASE("control entries are read back as they were written") {
    (void)back(engine::Tick{});
    const auto call = back(engine::WatermarkCall{engine::from_micros(1'772'750'831'000'001), true});
    CHECK(engine::to_micros(call.time) == 1'772'750'831'000'001);
    CHECK(call.hold);

    engine::IncidentEdit edit;
    edit.number = engine::IncidentNumber{17};
    edit.actor = "k";
    const auto plain = back(edit);
    CHECK(plain.number == edit.number);
    CHECK(plain.actor == "k");
    CHECK_FALSE(plain.status.has_value());
    CHECK_FALSE(plain.owner.has_value());
    CHECK_FALSE(plain.severity.has_value());
    edit.status = engine::IncidentStatus::closed;
    edit.classification = engine::Classification::benign_positive;
    edit.reason = "a \"test\"\n";
    edit.owner = "";
    edit.title = "ümläut";
    edit.severity = engine::Severity::high;
    const auto full = back(edit);
    CHECK(full.status == edit.status);
    CHECK(full.classification == edit.classification);
    CHECK(full.reason == edit.reason);
    CHECK(full.owner == edit.owner);
    CHECK(full.title == edit.title);
    CHECK(full.severity == edit.severity);
    CHECK_FALSE(full.labels.has_value());
    edit.labels = {"a", "b"};
    CHECK(back(edit).labels == edit.labels);

    const auto comment = back(engine::IncidentComment{engine::IncidentNumber{17}, "a \"remark\"\n", "k"});
    CHECK(comment.number == engine::IncidentNumber{17});
    CHECK(comment.text == "a \"remark\"\n");
    CHECK(comment.actor == "k");
    const auto merge = back(engine::IncidentMerge{engine::IncidentNumber{1}, {engine::IncidentNumber{2}, engine::IncidentNumber{3}}, "r", "k"});
    CHECK(merge.into == engine::IncidentNumber{1});
    CHECK(merge.numbers == std::vector{engine::IncidentNumber{2}, engine::IncidentNumber{3}});
    CHECK(merge.reason == "r");
    const engine::FindingId id{boost::uuids::string_generator{}("3b241101-e2bb-5255-8caf-4136c566a962")};
    const auto split = back(engine::IncidentSplit{engine::IncidentNumber{4}, {id}, "", "k"});
    CHECK(split.number == engine::IncidentNumber{4});
    CHECK(split.findings == std::vector{id});

    engine::SettingChange change;
    change.lateness = 90min;
    change.base_rate = 0.30000000000000004;
    change.window_signals = 30'000'000'000;
    change.daily_incidents = 7;
    change.incident_entities = 40;
    const auto setting = back(change);
    CHECK(setting.lateness == change.lateness);
    CHECK(setting.base_rate == change.base_rate);
    CHECK(setting.window_signals == change.window_signals);
    CHECK(setting.daily_incidents == 7);
    CHECK(setting.incident_entities == 40);
    CHECK_FALSE(setting.unlinkable_limit.has_value());
}

TEST_CASE("an entity's entry holds all that is held of it; of that the engine reads how it links") {
    api::ports::EntityRow wanted{{"account", "alice"}, true};
    const auto of = [&] {
        const auto read = json::control_from_text("entity", json::entity_control_text(wanted));
        REQUIRE_MESSAGE(read.has_value(), read.error().detail);
        return std::get<engine::EntityChange>(*read);
    };
    CHECK(json::control_kind(engine::ControlBody{of()}) == "entity");
    CHECK(of().entity == wanted.key);
    CHECK(of().link == engine::LinkRule::usual);
    for (const auto rule : {engine::LinkRule::deny, engine::LinkRule::allow}) {
        wanted.notes.link = rule;
        CHECK(of().link == rule);
    }
    wanted.notes.tags = {"vip"};
    wanted.notes.criticality = api::entities::Criticality::high;
    wanted.notes.facts_json = R"({"a":{"b":[1,2]}})";
    CHECK(json::entity_control_text(wanted) ==
          R"({"id":"account:alice","kind":"account","value":"alice","tags":["vip"],"criticality":"high","facts":{"a":{"b":[1,2]}},"link":"allow"})");
}

TEST_CASE("a pattern entry is compiled from its document") {
    const auto text = json::pattern_control_text(
        "two-steps", 3, engine::Mode::flighting, engine::from_micros(1'772'750'831'000'000),
        R"({"id":"two-steps","title":"Two steps","within":"4h","link":{"same":["account"]},"stages":[{"id":"a","match":{"name":"x"}},{"id":"b","match":{"name":"y"}}]})");
    const auto read = json::control_from_text("pattern", text);
    REQUIRE_MESSAGE(read.has_value(), read.error().detail);
    const auto& change = std::get<engine::PatternChange>(*read);
    CHECK(change.pattern->id == "two-steps");
    CHECK(change.pattern->version == 3);
    CHECK(change.pattern->mode == engine::Mode::flighting);
    CHECK(change.pattern->stages.size() == 2);
    CHECK(change.effective_from == engine::from_micros(1'772'750'831'000'000));
}

TEST_CASE("an entry about what ships names it, and leads to the one compiled pattern that all tenants share") {
    const auto from = engine::from_micros(1'772'750'831'000'000);
    const auto read = json::control_from_text("pattern", json::shipped_control_text("mfa-fatigue", engine::Mode::off, from));
    REQUIRE(read.has_value());
    const auto& change = std::get<engine::PatternChange>(*read);
    CHECK(change.pattern == api::catalogue::find_shipped("mfa-fatigue")->pattern);
    CHECK(change.deployed() == engine::Mode::off);
    CHECK(change.pattern->mode == engine::Mode::production);
    CHECK(change.effective_from == from);

    const auto gone = json::control_from_text("pattern", json::shipped_control_text("shipped-once", engine::Mode::production, {}));
    REQUIRE(gone.has_value());
    CHECK(std::get<engine::PatternChange>(*gone).pattern->id == "shipped-once");
    CHECK(std::get<engine::PatternChange>(*gone).deployed() == engine::Mode::off);
}

TEST_CASE("an entry that no version has written is a fault, never a crash") {
    struct Case {
        std::string kind, body;
    };
    for (const auto& [kind, body] :
         {Case{"merge", "{}"}, Case{"watermark", "{}"}, Case{"watermark", R"({"time":"yesterday","hold":true})"}, Case{"watermark", "[1]"}, Case{"tick", "{"},
          Case{"incident", R"({"number":"1","actor":"k"})"}, Case{"incident", R"({"number":1,"actor":"k","status":"lost"})"},
          Case{"pattern", R"({"mode":"production"})"}, Case{"pattern", R"({"id":"p","version":1,"mode":"production","document":{}})"},
          Case{"setting", R"({"base_rate":"high"})"}, Case{"split", R"({"number":1,"findings":["x"],"reason":"","actor":"k"})"},
          Case{"merge", R"({"into":1,"reason":"","actor":"k"})"}, Case{"entity", R"({"kind":"account","value":"a"})"},
          Case{"entity", R"({"kind":"account","value":"a","link":"maybe"})"}, Case{"", ""}}) {
        CAPTURE(kind);
        CAPTURE(body);
        CHECK(json::control_from_text(kind, body).has_error());
    }
}
