#include "api/documents/suggestion.hpp"

#include "api/documents/place.hpp"

#include <algorithm>
#include <array>
#include <numeric>

namespace catenary::api::documents {
namespace {

constexpr std::size_t longest_word = 48;  // longer input is no slip of one of our words

/// Optimal string alignment distance: insertions, deletions, replacements and swaps of neighbours count one each.
std::size_t distance(std::string_view left, std::string_view right) {
    using Row = std::array<std::size_t, longest_word + 1>;
    Row two_back{}, back{}, row{};
    std::iota(back.begin(), back.end(), std::size_t{0});
    for (std::size_t i = 1; i <= left.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= right.size(); ++j) {
            const std::size_t replace = left[i - 1] == right[j - 1] ? 0 : 1;
            row[j] = std::min({back[j] + 1, row[j - 1] + 1, back[j - 1] + replace});
            const bool swapped = i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1];
            if (swapped) row[j] = std::min(row[j], two_back[j - 2] + 1);
        }
        two_back = back;
        back = row;
    }
    return back[right.size()];
}

}  // namespace

std::string suggestion(std::string_view given, std::span<const std::string_view> known) {
    std::string_view nearest;
    if (!given.empty() && given.size() <= longest_word) {
        auto best = std::max<std::size_t>(1, given.size() / 3) + 1;
        for (const auto word : known) {
            if (word.size() > longest_word) continue;
            if (const auto d = distance(given, word); d < best) {
                best = d;
                nearest = word;
            }
        }
    }
    if (!nearest.empty()) return "; did you mean " + in_quotes(nearest) + "?";
    std::string text = "; allowed: ";
    for (std::size_t i = 0; i < known.size(); ++i) {
        if (i > 0) text += ", ";
        text += in_quotes(known[i]);
    }
    return text;
}

}  // namespace catenary::api::documents
