#include "server/tickets/adf.hpp"
#include "tests/server/tickets/fake_jira.hpp"
#include "tests/server/tickets/talk_desk.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

// What goes between incidents and issues of Jira besides their state: links, notes on merges and splits, comments both ways.

using namespace catenary;
using namespace catenary::tests;
using namespace std::chrono_literals;
using nlohmann::json;
using server::tickets::text_of_adf;

TEST_CASE("issues of Jira whose incidents were merged or split are linked and say so, once, whatever is lost or asked for again") {
    FakeJira jira;
    SUBCASE("merged") {
        check_merge(jira);
        // What was merged duplicates what goes on.
        CHECK(jira.tickets().at(2).links == std::map<int, std::string>{{1, ">Duplicate"}});
        CHECK(jira.tickets().at(1).links == std::map<int, std::string>{{2, "<Duplicate"}});
    }
    SUBCASE("merged, with a search that is behind") {
        jira.lag(3);
        check_merge(jira);
    }
    SUBCASE("split") {
        check_split(jira);
        CHECK(jira.tickets().at(3).links == std::map<int, std::string>{{1, ">Relates"}});
    }
    SUBCASE("merged before it had a ticket") { check_merged_before_ticket(jira); }
}

TEST_CASE("a link that Jira does not take, or not by a type that means this, leaves the issue delivered and is told") {
    FakeJira jira;
    TalkDesk desk{jira};
    const auto first = desk.story("alice@corp.example");
    const auto second = desk.story("bob@corp.example", 5h);
    std::string words;
    SUBCASE("the account may not") {
        jira.forbid_ties(true);
        words = "Jira did not take the link to 10001: answered 401: No Link Issue Permission for issue";
    }
    SUBCASE("links are switched off") {
        jira.have_types({});
        words = "Jira did not take the link to 10001: answered 404: Issue linking is currently disabled.";
    }
    SUBCASE("links are dropped without a word") {
        jira.plan("relate", std::vector<Fate>(2, Fate{Fate::Kind::dropped, {}}));
        words = "Jira did not take the link to 10001";
    }
    SUBCASE("there are others alone") {
        jira.have_types({"Gantt"});
        words = "Jira has no link type Duplicate or Relates: the issues are linked by Gantt";
    }
    desk.rig.merge(second, first);
    desk.settle();
    CHECK((desk.detail(second) == words || desk.detail(first) == words));
    CHECK(desk.rig.ask("SELECT paused FROM connector_state").empty());
    CHECK(desk.notes_with(second, into(second, first)) == 1);
    CHECK(desk.notes_with(first, took_in(second)) == 1);
    // Asked for again, when it may be done.
    jira.forbid_ties(false);
    jira.have_types({"Blocks", "Duplicate", "Relates"});
    REQUIRE(desk.rig.desk().test_connector(desk.rig.caller(), "soc")->ok);
    desk.rig.restart_ticketing();
    desk.rig.run("UPDATE ticket SET state = 'pending', due = now()");
    desk.settle();
    CHECK(jira.tied(1, 2));
    CHECK(desk.detail(second).empty());
}

TEST_CASE("comments on incidents and on issues of Jira go both ways, each once, and at last nothing moves") {
    FakeJira jira;
    SUBCASE("at once") {}
    SUBCASE("with a search that is behind") { jira.lag(2); }
    check_comments(jira, json::object(), true);
}

TEST_CASE("a comment of Jira that shows late is taken still, one that is hidden from most is not, and our account is asked for") {
    FakeJira jira;
    TalkDesk desk{jira};
    const auto number = desk.story("alice@corp.example");
    for (int i = 0; i < 10; ++i) jira.say(1, "mika", fmt::format("{}", i));
    REQUIRE(desk.rig.wait([&] { return desk.rig.comments(number).find("said 9") != std::string::npos; }));
    jira.say_late(1, "mika", "late", 5);
    jira.say_late(1, "mika", "among ourselves", 0, true);
    jira.say(1, "mika", "last");
    REQUIRE(desk.rig.wait([&] { return desk.rig.comments(number).find("last") != std::string::npos; }));
    desk.settle();
    CHECK(desk.rig.comments(number).ends_with("soc:mika said 9|soc:mika said late|soc:mika said last"));
    CHECK(desk.rig.ask("SELECT count(*) FROM incident_activity WHERE what = 'commented'") == "12");
}

TEST_CASE("comments of Jira that are longer than a reply together are read by fewer, and cut") {
    FakeJira jira;
    check_long_notes(jira, 60, 30'000);
}

TEST_CASE("an issue of Jira that changes in nothing is not written, nor noted") {
    FakeJira jira;
    TalkDesk desk{jira, {{"comments", false}}};
    const auto number = desk.story("alice@corp.example");
    const auto changed = jira.tickets().at(1).changed;
    desk.rig.comment(number, "for us");
    desk.settle();
    CHECK(jira.tickets().at(1).changed == changed);
    CHECK(jira.tickets().at(1).notes.empty());
    CHECK(desk.rig.ticket("soc", number, "delivered") == desk.rig.ask("SELECT revision FROM incident"));
}

TEST_CASE("a document of ADF is read as what people see of it, so deep and so far") {
    const auto document = json::parse(R"({"type": "doc", "version": 1, "content": [
        {"type": "heading", "attrs": {"level": 1}, "content": [{"type": "text", "text": "Found"}]},
        {"type": "paragraph", "content": [{"type": "mention", "attrs": {"id": "5b", "text": "@Mika"}}, {"type": "text", "text": " saw "},
            {"type": "text", "text": "this", "marks": [{"type": "link", "attrs": {"href": "https://t.example/7"}}]}, {"type": "hardBreak"},
            {"type": "emoji", "attrs": {"shortName": ":warning:", "text": "⚠"}}, {"type": "date", "attrs": {"timestamp": "1772668800000"}}]},
        {"type": "bulletList", "content": [
            {"type": "listItem", "content": [{"type": "paragraph", "content": [{"type": "text", "text": "one"}]}, {"type": "bulletList", "content": [
                {"type": "listItem", "content": [{"type": "paragraph", "content": [{"type": "text", "text": "two"}]}]}]}]}]},
        {"type": "codeBlock", "content": [{"type": "text", "text": "a\nb"}]},
        {"type": "mediaSingle", "content": [{"type": "media", "attrs": {"id": "9"}}]},
        {"type": "blockCard", "attrs": {"url": "https://t.example/8"}},
        {"type": "paragraph", "content": [{"type": "status", "attrs": {"text": "DONE"}}, {"type": "unknown"}, 7, null, {"type": 3}]}]})");
    CHECK(text_of_adf(document) ==
          "Found\n@Mika saw this (https://t.example/7)\n\u26a02026-03-05\n- one\n- two\na\nb\n(attachment)\nhttps://t.example/8\nDONE");
    for (const auto* odd : {R"(null)", R"("text")", R"({"content": 3})", R"({"type": "date", "attrs": {"timestamp": "99999999999999999999"}})"}) {
        CAPTURE(odd);
        CHECK(text_of_adf(json::parse(odd)).empty());
    }
    auto wide = json{{"type", "doc"}, {"content", json::array()}};
    for (int i = 0; i < 200; ++i) wide["content"].push_back({{"type", "paragraph"}, {"content", {{{"type", "text"}, {"text", std::string(1'000, 'x')}}}}});
    CHECK(text_of_adf(wide).size() <= 65'536);
    CHECK(text_of_adf(wide).size() > 60'000);
}
