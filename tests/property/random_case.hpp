#pragma once

#include "tests/oracle/oracle.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace catenary::property {

/// One pattern and the signals that meet it, in order of arrival.
struct Case {
    engine::Pattern pattern;
    engine::Timestamp effective_from = engine::Timestamp::min();
    std::vector<oracle::Signal> signals;
    engine::Duration lateness = std::chrono::days{1};  ///< the watermark follows the newest signal so far at that distance
    engine::Timestamp watermark{};                     ///< and comes to this, if that is later, once all have come

    /// The watermark when so many have come.
    engine::Timestamp watermark_after(std::size_t count) const;
};

/// The same seed makes the same case. What is drawn, all independently and rarely all at once:
///
/// | construct | drawn |
/// | --- | --- |
/// | stages | 1 to 4, one of them at least not optional; order: sequence |
/// | link | same, by one kind (of which signals mention several entities) or two; none for one plain stage |
/// | repeat | at_least 1 to 4, by a link kind, with and without distinct (0 to 2 values a signal), counts 1 to 3 |
/// | times | 3 to 13 instants for 4 to 14 signals, so that most signals share theirs; within, repeat.within, max_span down to one instant |
/// | signals | satisfying one stage or several, mentioning 0 to 3 entities, also of a kind that does not link; some late |
/// | strict, effective_from | sometimes |
/// | arrival | in time order, nearly so, or any |
Case random_case(std::uint32_t seed);

/// With `order: any`, `link: chain` or limits on single gaps, one or several of them, or a chain of one stage; up to 11 signals.
Case varied_case(std::uint32_t seed);

/// One of random_case and varied_case with up to three absence conditions, and signals that satisfy them, alone or beside stages. In every other case late
/// marks are what the watermark makes them, in the others any; the watermark ends before, among or behind what is to be decided.
Case absence_case(std::uint32_t seed);

/// Nearly in time order, on one busy entity and a few others, for several times `max_span`: findings that are cut while they grow. Up to three stages.
Case long_case(std::uint32_t seed);

/// As random_case with `signals` signals, over a time as much longer: too many for the oracle.
Case large_case(std::uint32_t seed, int signals);

/// One of random_case, varied_case, long_case and absence_case that the bytes choose die by die, and a generator once they are used up: what a fuzzer searches.
Case case_from(std::span<const std::uint8_t> bytes);

/// For a person who has to understand why this one fails.
std::string readable(const Case& c);

}  // namespace catenary::property
