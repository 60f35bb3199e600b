#pragma once

#include "engine/lane/lane.hpp"
#include "engine/model/signal.hpp"

#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace catenary::bench {

/// Fifty patterns in production: the first twenty-two that shipped, and further ones of two to five stages, some of which ask for an attribute, a domain or a
/// burst; two are chains or in any order.
engine::Catalogue fifty_patterns();

/// All that ships.
engine::Catalogue full_catalogue();

/// Signals as a busy site sends them, a tenth of a second of event time apart: 2.8 entities of 50,000 (accounts, hosts, addresses) by a Zipf-like law,
/// ids that never repeat, the attributes that patterns read. A chosen share has a name that some stage of `patterns` asks for: nine in ten of them
/// everyday events that stages count or wait for, one a detection. The others carry one of 40 names that no stage knows.
class EngineMix {
public:
    /// A busy site unless said otherwise.
    struct Site {
        double wanted = 0.1;                                    ///< the share that some stage asks for, 0..1
        double detections = 0.1;                                ///< of those the share that are detections, 0..1; the others are everyday events
        int entities = 50'000;                                  ///< two in five accounts, two hosts, one an address
        engine::Duration gap = std::chrono::milliseconds{100};  ///< of event time between signals
    };
    EngineMix(const engine::Catalogue& patterns, const Site& site, std::uint64_t seed);
    EngineMix(const EngineMix&) = delete;  // what `next` lends refers to its parts
    EngineMix& operator=(const EngineMix&) = delete;

    /// The signals that follow; good until the next call. Time goes on from call to call.
    std::span<const engine::SignalView> next(std::size_t count);

private:
    /// What repeats from signal to signal.
    struct Claim {
        std::string source;
        std::string domain;
        std::string name;
        std::vector<std::string> tactics;
        std::vector<std::string> techniques;
    };
    struct Row {
        std::string id;
        std::vector<engine::EntityView> entities;
        std::vector<engine::Attribute> attributes;
    };
    static Claim claim(std::string_view name, std::size_t number);
    const Claim& choose();
    std::string_view entity(const std::vector<std::string>& of);
    double chance() { return std::uniform_real_distribution<double>{0, 1}(random_); }

    Site site_;
    std::mt19937_64 random_;
    std::vector<Claim> everyday_;
    std::vector<Claim> detections_;
    std::vector<Claim> unwanted_;
    std::vector<std::string> accounts_;
    std::vector<std::string> hosts_;
    std::vector<std::string> addresses_;
    std::vector<Row> rows_;
    std::vector<engine::SignalView> views_;
    std::int64_t serial_ = 0;
};

}  // namespace catenary::bench
