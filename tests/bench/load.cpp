// Loads a running server. Usage: catenary_load URL KEY_FILE [requests] [requests a second, 0: as many as it takes] [connections] [signals a request]

#include "tests/bench/load_client.hpp"
#include "tests/bench/signal_generator.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

using namespace catenary;

int main(int count, char** words) {
    const auto number = [&](int i, std::size_t otherwise) { return count > i ? std::strtoul(words[i], nullptr, 10) : otherwise; };
    if (count < 3) {
        fmt::print(stderr, "usage: {} URL KEY_FILE [requests] [requests a second] [connections] [signals a request]\n", words[0]);
        return 2;
    }
    bench::LoadOptions options{words[1], {}, number(5, 16), static_cast<double>(number(4, 0))};
    std::ifstream{words[2]} >> options.key;
    const auto signals = number(6, 1'000);
    bench::SignalGenerator generator{std::random_device{}()};  // ids that no earlier load has used
    std::vector<std::string> bodies(number(3, 200));
    for (auto& body : bodies) body = generator.body(signals);
    try {
        const auto report = bench::send_load(options, bodies);
        fmt::print("{:.0f} signals/s; {} requests refused, {} repeated; latency p50 {:.1f} ms, p90 {:.1f}, p99 {:.1f}, most {:.1f}\n",
                   static_cast<double>(bodies.size() * signals) / report.seconds, report.refused, report.repeated,
                   bench::percentile(report.latencies, 0.5) * 1e3, bench::percentile(report.latencies, 0.9) * 1e3,
                   bench::percentile(report.latencies, 0.99) * 1e3, report.latencies.back() * 1e3);
        return report.refused == 0 ? 0 : 1;
    } catch (const std::runtime_error& failure) {
        fmt::print(stderr, "{}\n", failure.what());
        return 2;
    }
}
