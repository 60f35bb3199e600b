#include "tests/simulator/world.hpp"
#include "tests/support/seeds.hpp"

#include <doctest/doctest.h>
#include <spdlog/spdlog.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

// One committed file holds the seeds of runs that broke a promise once; `upgraded` behind one says that its version changes on the way.

using namespace catenary;

namespace {

using Run = simulator::Verdict (*)(std::uint32_t seed);

void check(std::uint32_t seed, simulator::Figures& figures, Run run = simulator::run) {
    spdlog::set_level(std::getenv("SIMULATOR_TRACE") != nullptr ? spdlog::level::info : spdlog::level::off);
    const auto verdict = run(seed);
    figures += verdict.figures;
    if (verdict.broken) FAIL_CHECK("seed ", seed, ": ", *verdict.broken);
}

}  // namespace

TEST_CASE("simulator: seeds that broke a promise once") {
    std::ifstream corpus{std::string{CATENARY_SOURCE_DIR} + "/tests/simulator/seeds"};
    REQUIRE(corpus.good());
    simulator::Figures figures;
    for (std::string line; std::getline(corpus, line);) {
        if (line.empty() || line.front() == '#') continue;
        std::uint32_t seed = 0;
        std::string version;
        std::istringstream{line} >> seed >> version;
        check(seed, figures, version == "upgraded" ? simulator::run_upgraded : simulator::run);
    }
}

TEST_CASE("simulator: whatever fails, what was acknowledged is stored once and the results are those of an undisturbed run and of the definitions") {
    simulator::Figures figures;
    const auto tried = tests::seeds(0, 2'500);
    for (const auto seed : tried) check(seed, figures);
    MESSAGE(tried.size() << " seeds: " << figures.text());
    if (tried.size() < 250) return;  // too few for shares
    CHECK(figures.held_whole > static_cast<std::int64_t>(tried.size()) / 3);
    CHECK(figures.compared.whole > (figures.compared.partly + figures.compared.left_out) * 3);
}

TEST_CASE("simulator: whatever fails around a change of version, what was reported stays and what comes fits to it") {
    simulator::Figures figures;
    const auto tried = tests::seeds(600'000, 1'000);
    for (const auto seed : tried) check(seed, figures, simulator::run_upgraded);
    MESSAGE(tried.size() << " seeds: " << figures.text());
    CHECK(figures.carried > static_cast<std::int64_t>(tried.size()) / 4);
}
