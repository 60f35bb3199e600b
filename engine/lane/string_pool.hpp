#pragma once

#include "engine/model/ids.hpp"
#include "engine/model/text_hash.hpp"
#include "engine/snapshot/snapshot_fwd.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <array>
#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

namespace catenary::engine {

/// Strings that repeat from signal to signal, each kept once: names, sources, domains, ATT&CK ids, entity kinds. Never ids or values.
/// Symbols are dense, in order of first use; their order means nothing.
class StringPool {
public:
    Symbol intern(std::string_view text);
    /// The same, for one of few: tried against the newest ones asked for this way before the table.
    Symbol intern_frequent(std::string_view text);
    std::optional<Symbol> find(std::string_view text) const;
    const std::string& operator[](Symbol symbol) const { return texts_[symbol.value()]; }
    std::size_t size() const { return texts_.size(); }
    std::size_t bytes() const { return bytes_; }
    void save(SnapshotWriter& out) const;
    void load(SnapshotReader& in);

private:
    std::deque<std::string> texts_;  // a deque: the views in index_ stay valid
    boost::unordered_flat_map<std::string_view, Symbol, TextHash> index_;
    std::size_t bytes_ = 0;
    std::array<Symbol, 8> frequent_{};  // of texts asked for as such, filled in turn
    std::size_t frequent_count_ = 0;    // how often one was filled in
};

}  // namespace catenary::engine
