#include "tests/bench/engine_mix.hpp"

#include "api/catalogue/shipped_patterns.hpp"
#include "api/documents/pattern_document.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <stdexcept>

namespace catenary::bench {
namespace {

using namespace engine;

constexpr Timestamp start = std::chrono::sys_days{std::chrono::year{2026} / 3 / 2};
constexpr std::size_t pattern_count = 50;

/// What shipped when these figures were first taken, so that they compare.
constexpr std::array<std::string_view, 22> first_shipped{"account-takeover-to-mass-download",
                                                         "bulk-collection-then-upload",
                                                         "bulk-file-deletion",
                                                         "bulk-file-download",
                                                         "cloud-key-to-public-data",
                                                         "defences-disabled-then-encryption",
                                                         "directory-discovery-to-lateral-movement",
                                                         "endpoint-execution-then-firewall-anomaly",
                                                         "lateral-movement-to-staging",
                                                         "mfa-fatigue",
                                                         "new-administrator-then-mail-forwarding",
                                                         "office-document-to-ransomware",
                                                         "password-guessing",
                                                         "password-guessing-then-sign-in",
                                                         "password-spray",
                                                         "password-spray-then-sign-in",
                                                         "phishing-click-to-account-takeover",
                                                         "risky-sign-in-then-compute-abuse",
                                                         "risky-sign-in-then-destruction",
                                                         "storage-keys-then-mass-deletion",
                                                         "vpn-break-in-to-data",
                                                         "web-shell-to-command-and-control"};

/// What people's ordinary work makes and shipped patterns count or wait for, with how many of a thousand such events it is.
struct Everyday {
    std::string_view name;
    std::size_t share;
};
constexpr std::array everyday_events{Everyday{"successful_sign_in", 400}, Everyday{"file_downloaded", 260}, Everyday{"object_downloaded", 100},
                                     Everyday{"mfa_approved", 100},       Everyday{"vpn_connected", 70},    Everyday{"file_deleted", 45},
                                     Everyday{"failed_sign_in", 20},      Everyday{"mfa_denied", 3},        Everyday{"large_upload", 2}};

std::string stage(std::size_t pattern, std::size_t number, std::size_t of) {
    const std::size_t first = pattern * 5 + number * 3;
    std::string match = fmt::format(R"("name":["detection_{}","detection_{}"])", first % 60, (first + 7) % 60);
    if (pattern % 4 == 1 && number == 0) match += R"(,"attributes.risk_level":["medium","high"])";
    if (pattern % 4 == 2 && number + 1 == of) match += R"(,"domain":["endpoint","identity"])";
    std::string rest;
    if (pattern % 5 == 3 && number == 1 && of > 2) rest += R"(,"optional":true)";
    if (pattern % 6 == 4 && number == 0) rest += R"(,"repeat":{"at_least":5,"within":"1h","by":"account"})";
    return fmt::format(R"({{"id":"s{}","match":{{{}}}{}}})", number, match, rest);
}

std::shared_ptr<const Pattern> further_pattern(std::size_t number) {
    constexpr std::array links{R"({"same":["account"]})", R"({"same":["host"]})", R"({"same":["account","host"]})", R"({"same":["account","ip"]})"};
    constexpr std::array spans{"6h", "24h", "2d", "3d"};
    const std::size_t stages = 2 + number % 4;
    const bool is_chain = number == 13;
    const bool is_any = number == 14;
    const std::string_view link = is_chain ? R"({"chain":["account","host"]})" : number % 6 == 4 ? links[0] : links[number % links.size()];
    std::string list;
    for (std::size_t i = 0; i < stages; ++i) list += (i > 0 ? "," : "") + stage(number, i, stages);
    const std::string_view within = is_chain || is_any ? "6h" : spans[number % spans.size()];
    const auto text = fmt::format(R"({{"id":"further-{0}","title":"Further {0}","severity":"medium","order":"{1}","within":"{2}","link":{3},"stages":[{4}]}})",
                                  number, is_any ? "any" : "sequence", within, link, list);
    auto parsed = api::documents::pattern_from_json(nlohmann::json::parse(text));
    if (!parsed.value) throw std::logic_error{parsed.faults.front().pointer + ": " + parsed.faults.front().detail};
    parsed.value->pattern.mode = Mode::production;
    return std::make_shared<const Pattern>(std::move(parsed.value->pattern));
}

}  // namespace

Catalogue fifty_patterns() {
    Catalogue catalogue;
    for (const auto id : first_shipped) catalogue.push_back(api::catalogue::find_shipped(id)->pattern);
    for (std::size_t number = 0; catalogue.size() < pattern_count; ++number) catalogue.push_back(further_pattern(number));
    return catalogue;
}

Catalogue full_catalogue() {
    Catalogue catalogue;
    for (const auto& shipped : api::catalogue::shipped_patterns()) catalogue.push_back(shipped.pattern);
    return catalogue;
}

EngineMix::EngineMix(const Catalogue& patterns, const Site& site, std::uint64_t seed) : site_{site}, random_{seed} {
    std::set<std::string> names;
    for (const auto& pattern : patterns) {
        for (const Stage& one : pattern->stages) names.merge(one.match.required_names().value());
    }
    for (const auto& [name, share] : everyday_events) {
        everyday_.insert(everyday_.end(), share, claim(name, everyday_.size()));
        names.erase(std::string{name});
    }
    for (const std::string& name : names) detections_.push_back(claim(name, detections_.size()));
    for (std::size_t i = 0; i < 40; ++i) unwanted_.push_back(claim(fmt::format("suspicious_activity_{}", i), i));
    for (int i = 0; i < site.entities * 2 / 5; ++i) accounts_.push_back(fmt::format("user{}@corp.example", i));
    for (int i = 0; i < site.entities * 2 / 5; ++i) hosts_.push_back(fmt::format("ws-{}.corp.example", i));
    for (int i = 0; i < site.entities / 5; ++i) addresses_.push_back(fmt::format("10.{}.{}.{}", i % 7, i / 250, i % 250));
}

EngineMix::Claim EngineMix::claim(std::string_view name, std::size_t number) {
    constexpr std::array domains{"endpoint", "identity", "cloud_app", "network"};
    constexpr std::array tactics{"TA0001", "TA0002", "TA0006", "TA0009"};
    constexpr std::array techniques{"T1078", "T1059", "T1003", "T1530"};
    return {fmt::format("source-{}", number % 4), domains[number % 4], std::string{name}, {tactics[number / 4 % 4]}, {techniques[number / 4 % 4]}};
}

const EngineMix::Claim& EngineMix::choose() {
    const auto any_of = [&](const std::vector<Claim>& claims) -> const Claim& { return claims[random_() % claims.size()]; };
    if (chance() >= site_.wanted) return any_of(unwanted_);
    return chance() >= site_.detections ? any_of(everyday_) : any_of(detections_);
}

std::string_view EngineMix::entity(const std::vector<std::string>& of) {
    const auto rank = static_cast<std::size_t>(std::pow(static_cast<double>(of.size()), chance()));
    return of[std::min(rank, of.size()) - 1];
}

std::span<const SignalView> EngineMix::next(std::size_t count) {
    constexpr std::array levels{"low", "medium", "high"};
    rows_.resize(count);
    views_.clear();
    views_.reserve(count);
    for (Row& row : rows_) {
        const Claim& claim = choose();
        row.id = fmt::format("{:016x}-{:08x}", random_(), serial_);
        row.entities.assign({{"account", entity(accounts_), true}, {"host", entity(hosts_), true}});
        if (random_() % 10 < 8) row.entities.push_back({"ip", entity(addresses_), true});
        row.attributes.assign({{"risk_level", std::string{levels[random_() % levels.size()]}}});
        const Timestamp time = start + site_.gap * serial_++;
        views_.push_back(
            {claim.source, row.id, time, claim.domain, claim.name, claim.tactics, claim.techniques, Severity::low, 0.2, 1, row.entities, row.attributes});
    }
    return views_;
}

}  // namespace catenary::bench
