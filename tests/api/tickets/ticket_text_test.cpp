#include "api/tickets/ticket_text.hpp"

#include "api/tickets/connector_document.hpp"
#include "tests/support/fake_api.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace catenary;
using namespace catenary::tests;
using api::tickets::TicketStory;

namespace {

api::tickets::Connector connector_with(const std::string& member, const std::string& text) {
    auto body = redmine_document();
    body[member] = text;
    engine::Faults faults;
    auto read = api::tickets::connector_from_json(api::documents::Place{faults}, body);
    REQUIRE(faults.empty());
    return std::move(read.connector);
}

TicketStory story_of_two() {
    TicketStory story{incident_of_two(17), {finding_of_two()}, {}, false};
    api::ports::EvidenceRow evidence;
    evidence.signal = stored_sign_in();
    story.evidence = {evidence};
    return story;
}

bool holds(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("a ticket tells what happened, why it fired, in which order, about whom, and leads back") {
    const auto text =
        api::tickets::ticket_text(api::tickets::stored_connector(connector_with("title", "[{severity}] {title}").document.dump()), story_of_two());
    CHECK(text.title.starts_with("["));
    for (const auto* part : {"What happened\n", "Why it fired\n- ", "Timeline (UTC)\n- 2026-03-05T22:47:11Z", "Entities\n- account",
                             "ATT&CK\n- tactics: TA0001", "https://catenary.example/api/v1/incidents/17"}) {
        CHECK_MESSAGE(holds(text.body, part), text.body);
    }
}

TEST_CASE("what signals brought along is no link, no image, no macro and no tag in a ticket") {
    auto story = story_of_two();
    story.record.title = "See http://evil.example/a !http://evil.example/x.png! {{include(Secrets)}} <script>alert(1)</script> [[Wiki]] `x`";
    story.record.summary = "Called 203.0.113.7 from evil.example";
    story.record.entities = {{"ip", "203.0.113.7"}, {"domain", "evil.example"}, {"url", "https://evil.example/a"}, {"account", "j.morrison@ne.example"}};
    const auto text = api::tickets::ticket_text(connector_with("body", "{title}\n{what_happened}\n{entities}"), story);
    for (const auto* never : {"http://", "https://", "<", "{{", "[[", "!h", "203.0.113.7", "evil.example"})
        CHECK_MESSAGE(!holds(text.body, never), never, " in ", text.body);
    CHECK(holds(text.body, "203[.]0[.]113[.]7"));
    CHECK(holds(text.body, "evil[.]example"));
    CHECK(holds(text.body, "account j.morrison@ne.example"));
}

TEST_CASE("titles and bodies stay within what ticket systems take, and are never cut inside a character") {
    auto story = story_of_two();
    for (int i = 0; i < 200; ++i) story.record.title += "\u00e9\u4e2d";
    story.record.summary = std::string(200'000, 'x');
    const auto text = api::tickets::ticket_text(connector_with("title", "{title}"), story);
    const auto& kind = api::tickets::facts_of(api::tickets::ConnectorKind::redmine);
    CHECK(text.title.size() <= kind.most_title);
    CHECK(text.title.size() > kind.most_title - 8);
    CHECK(text.title.ends_with("\u2026"));
    const auto before = static_cast<unsigned char>(text.title[text.title.size() - 4]);
    CHECK((before & 0xc0U) == 0x80U);  // the last byte of a character of two or three
    CHECK(text.body.size() <= kind.most_body);
    CHECK(holds(text.body, "(cut;"));
}

TEST_CASE("brackets of their own are written twice") {
    CHECK(api::tickets::ticket_text(connector_with("title", "{{{number}}} {{x}}"), story_of_two()).title == "{17} {x}");
}
