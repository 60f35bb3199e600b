#include "server/tickets/signatures.hpp"
#include "tests/support/http_site.hpp"
#include "tests/support/server_process.hpp"

#include <doctest/doctest.h>
#include <signal.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <string>

using catenary::tests::catenary_program;
using catenary::tests::ChildProcess;
using catenary::tests::HttpSite;
using catenary::tests::ServerProcess;
using catenary::tests::SiteAnswer;
using catenary::tests::SiteRequest;
using catenary::tests::TemporaryFolder;
using namespace std::chrono_literals;

namespace {

/// What its receiver got: four tickets whose signatures hold, the first of them whole.
void shows_tickets(const std::string& said) {
    const auto begin = said.find("\nTickets that a receiver on http://127.67.65.84:");
    REQUIRE(begin != std::string::npos);
    const auto tickets = said.substr(begin, said.find("\nWhere to look next") - begin);
    std::smatch counts;
    REQUIRE(std::regex_search(tickets, counts, std::regex{R"(\((\d+) messages with a signature that holds, (\d+) without\))"}));
    CHECK(std::stoi(counts[1]) >= 4);
    CHECK(counts[2] == "0");
    const std::regex title{R"(\n  #\d+  \[(high|medium)\] [^\n]+  \(incident\.(created|updated)\))"};
    CHECK(std::distance(std::sregex_iterator{tickets.begin(), tickets.end(), title}, std::sregex_iterator{}) == 4);
    for (const auto* section : {"      What happened\n", "      Why it fired\n", "      Timeline (UTC)\n", "      Entities\n", "/api/v1/incidents/"}) {
        CAPTURE(section);
        CHECK(tickets.find(section) != std::string::npos);
    }
}

/// One run of the demo up to the point where it has shown everything and goes on serving.
void shows_incidents_and_serves(ChildProcess& demo) {
    demo.wait_for("/openapi.json", 120s);
    const auto said = demo.output();
    CAPTURE(said);
    for (const auto* title : {"j.morrison@ne.example", "ne\\svc-scada", "ne-fin-014", "ops-automation@ne.example"}) {
        CAPTURE(title);
        CHECK(said.find(title) != std::string::npos);
    }
    CHECK(said.find("\n4 incidents out of ") != std::string::npos);
    CHECK(said.find("score in bits: prior -6.63") != std::string::npos);
    shows_tickets(said);
    CHECK(demo.running());
}

}  // namespace

TEST_CASE("the demo finds its four intrusions, serves on, and does so again after Ctrl-C and after kill -9") {
    TemporaryFolder folder;
    const std::vector<std::string> command{catenary_program(), "demo", "--data-dir", (folder.path() / "data").string(), "--listen", "127.0.0.1:0"};
    {
        ChildProcess demo{command, folder.path() / "first.log"};
        shows_incidents_and_serves(demo);
        demo.signal(SIGINT);
        CHECK(demo.wait(40s) == 0);
    }
    {
        ChildProcess demo{command, folder.path() / "second.log"};
        shows_incidents_and_serves(demo);
        demo.signal(SIGKILL);
        CHECK(demo.wait(10s) == 128 + SIGKILL);
    }
    {
        ChildProcess demo{command, folder.path() / "third.log"};
        shows_incidents_and_serves(demo);
        demo.signal(SIGTERM);
        CHECK(demo.wait(40s) == 0);
    }
}

TEST_CASE("the demo posts its tickets to a receiver that is named, signed with a secret that it keeps for the next time") {
    HttpSite site{[](const SiteRequest&) { return SiteAnswer{}; }};
    TemporaryFolder folder;
    std::string secret;
    for (const auto* log : {"first.log", "second.log"}) {
        const auto before = site.requests().size();
        ChildProcess demo{{catenary_program(), "demo", "--data-dir", (folder.path() / "data").string(), "--listen", "127.0.0.1:0", "--demo-webhook",
                           site.url() + "/hook", "--connector-networks", "127.0.0.1"},
                          folder.path() / log};
        demo.wait_for("/openapi.json", 120s);
        const auto said = demo.output();
        CAPTURE(said);
        CHECK(said.find("\nTickets posted to " + site.url() + "/hook (signed with the secret in ") != std::string::npos);
        for (const auto* ticket : {"\n  #1 done\n", "\n  #2 done\n", "\n  #3 done\n", "\n  #4 done\n"}) CHECK(said.find(ticket) != std::string::npos);
        std::string kept;
        std::ifstream file{folder.path() / "data/demo-webhook.secret"};
        REQUIRE(std::getline(file, kept));
        if (!secret.empty()) CHECK(kept == secret);
        secret = kept;
        const auto requests = site.requests();
        CHECK(requests.size() >= before + 4);
        for (const auto& request : requests) {
            CHECK(request.target == "/hook");
            CHECK(catenary::server::tickets::is_signed(
                {secret}, {request.headers.at("webhook-id"), request.headers.at("webhook-timestamp"), request.headers.at("webhook-signature")}, request.body,
                std::stoll(request.headers.at("webhook-timestamp"))));
        }
        demo.signal(SIGTERM);
        CHECK(demo.wait(40s) == 0);
    }
}
