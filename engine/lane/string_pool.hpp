#pragma once

#include "engine/model/ids.hpp"
#include "engine/model/text_hash.hpp"
#include "engine/snapshot/snapshot_fwd.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace catenary::engine {

/// Strings that repeat from signal to signal, each kept once: names, sources, domains, ATT&CK ids, entity kinds. Never ids or values.
/// Symbols are dense; their order means nothing, and those of forgotten strings are used again.
class StringPool {
public:
    Symbol intern(std::string_view text);
    /// The same, for one of few: tried against the newest ones asked for this way before the table.
    Symbol intern_frequent(std::string_view text);
    std::optional<Symbol> find(std::string_view text) const;
    const std::string& operator[](Symbol symbol) const { return places_[symbol.value()].text; }
    std::size_t size() const { return places_.size() - free_.size(); }
    /// How many symbols there are, of strings and of forgotten ones.
    std::size_t places() const { return places_.size(); }
    /// Forgets the strings that are not `named`, which says so of each symbol.
    void keep(const std::vector<bool>& named);
    std::size_t bytes() const { return bytes_; }
    void save(SnapshotWriter& out) const;
    void load(SnapshotReader& in);

private:
    struct Place {
        std::string text;
        bool is_known = false;  ///< false: a free place
    };
    static std::size_t bytes_of(std::string_view text) { return text.size() + sizeof(Place) + sizeof(std::pair<std::string_view, Symbol>); }

    std::deque<Place> places_;  // a deque: the views in index_ stay valid
    boost::unordered_flat_map<std::string_view, Symbol, TextHash> index_;
    std::vector<std::uint32_t> free_;
    std::size_t bytes_ = 0;
    std::array<Symbol, 8> frequent_{};  // of texts asked for as such, filled in turn
    std::size_t frequent_count_ = 0;    // how often one was filled in
};

}  // namespace catenary::engine
