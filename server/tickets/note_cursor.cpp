#include "server/tickets/note_cursor.hpp"

#include "api/json/time_json.hpp"
#include "server/tickets/overlap.hpp"

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

namespace catenary::server::tickets {
namespace {

constexpr std::size_t most_ids = 32;
constexpr std::size_t most_at_once = 128;

}  // namespace

NoteCursor::NoteCursor(const std::string& text) {
    std::vector<std::string> words;
    for (std::size_t at = 0; at < text.size();) {
        const auto end = std::min(text.find(' ', at), text.size());
        if (end > at) words.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    const auto from = words.empty() ? std::nullopt : api::json::parse_time(words.front());
    if (!from) return;
    from_ = *from;
    taken_.assign(std::make_move_iterator(words.begin() + 1), std::make_move_iterator(words.end()));
}

bool NoteCursor::has(const TimedNote& note) const { return note.time < from_ || std::ranges::find(taken_, note.note.id) != taken_.end(); }

std::vector<RemoteNote> NoteCursor::rest_of(std::vector<TimedNote> notes) const {
    std::ranges::sort(notes, {}, [](const TimedNote& note) { return std::tie(note.time, note.note.id); });
    // What came while pages were read has moved some of it from one to the next.
    const auto doubles = std::ranges::unique(notes, {}, [](const TimedNote& note) { return std::tie(note.time, note.note.id); });
    notes.erase(doubles.begin(), doubles.end());
    std::vector<std::pair<engine::Timestamp, std::string>> taken;  // oldest first
    for (const auto& note : notes) {
        if (note.time >= from_ && has(note)) taken.emplace_back(note.time, note.note.id);
    }
    auto from = from_;
    std::vector<RemoteNote> rest;
    for (auto& one : notes) {
        if (has(one)) continue;
        auto known = std::pair{one.time, one.note.id};
        taken.insert(std::ranges::upper_bound(taken, known), known);
        from = std::max(from, taken.back().first - poll_overlap);
        if (taken.size() > most_ids) from = std::max(from, taken[taken.size() - most_ids].first);
        if (taken.size() > most_at_once && taken.front().first == taken.back().first) from = taken.back().first + engine::Duration{1};
        std::erase_if(taken, [&](const auto& named) { return named.first < from; });
        auto cursor = api::json::format_time(from);
        for (const auto& named : taken) cursor += " " + named.second;
        one.note.id = std::move(cursor);
        rest.push_back(std::move(one.note));
    }
    return rest;
}

}  // namespace catenary::server::tickets
