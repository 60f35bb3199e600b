#include "tests/support/server_process.hpp"

#include <doctest/doctest.h>
#include <signal.h>

#include <chrono>

using catenary::tests::catenary_program;
using catenary::tests::ChildProcess;
using catenary::tests::ServerProcess;
using catenary::tests::TemporaryFolder;
using namespace std::chrono_literals;

namespace {

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
