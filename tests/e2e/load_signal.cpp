#include "tests/e2e/load_signal.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cstdio>
#include <stdexcept>

namespace catenary::tests {
namespace {

struct Content {
    const char* domain = "endpoint";
    const char* name = "heartbeat";
    double confidence = 0.05;
    const char* kind = "host";
    std::string entity;
};

Content heartbeat(const LoadSignal& signal) { return {.entity = fmt::format("host-{}", signal.index)}; }

/// The patterns account-takeover-to-mass-download and risky-sign-in-then-mass-download want them.
Content link_of_chain(const LoadSignal& signal) {
    constexpr int chain_every = 8;
    constexpr int rule_after = 35;
    constexpr int download_after = 78;
    const auto of = [&](int since, int sender) { return fmt::format("chain-{}-{}@kill.example", sender, (signal.batch - since) / chain_every); };
    const auto is_due = [&](int since) { return signal.batch >= since && signal.batch % chain_every == since % chain_every; };
    if (is_due(0)) return {"identity", "impossible_travel", 0.35, "account", of(0, signal.sender)};
    if (is_due(rule_after)) return {"email", "suspicious_inbox_rule", 0.35, "account", of(rule_after, LoadSignal::senders - 1 - signal.sender)};
    if (is_due(download_after)) return {"data", "mass_file_download", 0.3, "account", of(download_after, signal.sender)};
    return heartbeat(signal);
}

/// The pattern password-guessing-then-sign-in wants twenty failures within ten minutes.
Content part_of_burst(const LoadSignal& signal) {
    constexpr int burst_every = 24;
    constexpr int failures = 20;
    const int burst = signal.batch / burst_every;
    const int place = signal.batch % burst_every;
    const bool has_one_less = burst % 2 == 1;
    const auto account = fmt::format("guessed-{}-{}@kill.example", signal.sender, burst);
    if (place < failures && !(has_one_less && place == failures / 2)) return {"identity", "failed_sign_in", 0.1, "account", account};
    if (place == failures + 2) return {"identity", "successful_sign_in", 0.1, "account", account};
    return heartbeat(signal);
}

std::string time_of(int batch) {
    const int second = batch / 10;
    return fmt::format("2026-03-{:02}T{:02}:{:02}:{:02}.{}Z", 6 + second / 86'400, second / 3'600 % 24, second / 60 % 60, second % 60, batch % 10);
}

Content content(const LoadSignal& signal) {
    if (signal.index == 0) return part_of_burst(signal);
    if (signal.index == 1) return link_of_chain(signal);
    return heartbeat(signal);
}

}  // namespace

std::string LoadSignal::id() const { return fmt::format("k-{}-{}-{}", sender, batch, index); }

LoadSignal LoadSignal::of(const std::string& id) {
    LoadSignal signal;
    if (std::sscanf(id.c_str(), "k-%d-%d-%d", &signal.sender, &signal.batch, &signal.index) != 3 || signal.id() != id) {
        throw std::invalid_argument("no load sends a signal " + id);
    }
    return signal;
}

std::string LoadSignal::json() const {
    const auto what = content(*this);
    return nlohmann::json{{"id", id()},
                          {"source", "kill_loop"},
                          {"time", time_of(batch)},
                          {"domain", what.domain},
                          {"name", what.name},
                          {"confidence", what.confidence},
                          {"entities", {{{"kind", what.kind}, {"value", what.entity}}}}}
        .dump();
}

}  // namespace catenary::tests
