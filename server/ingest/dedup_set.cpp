#include "server/ingest/dedup_set.hpp"

#include <algorithm>

namespace catenary::server {
namespace {

// A table doubles when 7/8 full: between 24/0.875 and twice that an entry, with one byte of metadata; the mean over shards is what counts.
constexpr std::size_t bytes_an_entry = 42;

}  // namespace

DedupSet::DedupSet(std::size_t capacity_bytes) : capacity_{std::max<std::size_t>(capacity_bytes / bytes_an_entry, 1'024)} {}

std::optional<DedupSet::Stored> DedupSet::find(const SignalKey& key) const {
    const auto& table = shard(key);
    const auto it = table.find(Stored{key, 0});
    return it == table.end() ? std::nullopt : std::optional{*it};
}

void DedupSet::add(const Stored& stored) {
    if (size_ >= capacity_) forget_oldest();
    if (!shard(stored.key).insert(stored).second) return;
    ++size_;
    ++hours_[hour(stored.key)];
}

void DedupSet::remove(const SignalKey& key) {
    auto& table = shard(key);
    const auto it = table.find(Stored{key, 0});
    if (it == table.end()) return;
    if (const auto hours = hours_.find(hour(it->key)); hours != hours_.end() && --hours->second == 0) hours_.erase(hours);
    table.erase(it);
    --size_;
}

void DedupSet::forget_oldest() {
    // An eighth at a time: the sweep over all shards is paid once for many additions.
    const auto wanted = capacity_ - capacity_ / 8;
    auto cut = hours_.begin()->first;
    for (auto kept = size_; kept > wanted && !hours_.empty();) {
        kept -= hours_.begin()->second;
        cut = hours_.begin()->first;
        hours_.erase(hours_.begin());
    }
    for (auto& table : shards_) evicted_ += boost::unordered::erase_if(table, [cut](const Stored& stored) { return hour(stored.key) <= cut; });
    size_ = 0;
    for (const auto& table : shards_) size_ += table.size();
}

}  // namespace catenary::server
