#pragma once

#include <chrono>
#include <string>

namespace catenary::server::tickets {

/// What a poll goes back behind what was seen: a ticket's time of change is taken before its transaction ends, so that one may appear after later ones, and
/// it may change its state between two questions. What is read twice is known by its time.
constexpr std::chrono::seconds poll_overlap{120};

/// The time `poll_overlap` before `seen`, in the same form ("2026-03-05T22:47:11Z"); "" for "" and for what is no such time.
std::string overlapped(const std::string& seen);

}  // namespace catenary::server::tickets
