#include "tests/simulator/world.hpp"
#include "tests/support/seeds.hpp"

#include <doctest/doctest.h>
#include <spdlog/spdlog.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

// One committed file holds the seeds of runs that broke a promise once.

using namespace catenary;

namespace {

void check(std::uint32_t seed, simulator::Figures& figures) {
    spdlog::set_level(std::getenv("SIMULATOR_TRACE") != nullptr ? spdlog::level::info : spdlog::level::off);
    const auto verdict = simulator::run(seed);
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
        std::istringstream{line} >> seed;
        check(seed, figures);
    }
}

TEST_CASE("simulator: whatever fails, what was acknowledged is stored once and the results are those of an undisturbed run") {
    simulator::Figures figures;
    const auto tried = tests::seeds(0, 2'500);
    for (const auto seed : tried) check(seed, figures);
    MESSAGE(tried.size() << " seeds: " << figures.text());
}
