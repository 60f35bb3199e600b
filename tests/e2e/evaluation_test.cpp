#include "tests/support/server_process.hpp"
#include "tests/support/shared_material.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>

using catenary::tests::ChildProcess;
using catenary::tests::ServerProcess;
using catenary::tests::TemporaryFolder;
using namespace std::chrono_literals;

TEST_CASE("the evaluation replays real records through the contract and nothing is rejected" * doctest::skip(catenary::tests::no_shared_material())) {
    ServerProcess server;
    server.start();
    TemporaryFolder folder;
    const auto shared = catenary::tests::shared_material();
    ChildProcess evaluation{
        {"python3", (shared / "eval/evaluate.py").string(), "--url", server.url(), "--admin-key-file", (server.data_folder() / "admin.key").string(),
         "--dataset", (shared / "datasets/alpine-shared").string(), (shared / "datasets/cptc-odd-teams").string()},
        folder.path() / "evaluation.log"};
    const auto code = evaluation.wait(300s);
    const auto said = evaluation.output();
    CAPTURE(said);
    CHECK(code == 0);
    std::size_t unrejected = 0;
    for (auto at = said.find("rejected 0,"); at != std::string::npos; at = said.find("rejected 0,", at + 1)) ++unrejected;
    CHECK(unrejected == 2);
    CHECK(server.stop() == 0);
}
