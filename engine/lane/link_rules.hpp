#pragma once

#include "engine/lane/control.hpp"
#include "engine/model/ids.hpp"
#include "engine/model/time.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstddef>
#include <utility>
#include <vector>

namespace catenary::engine {

/// A value that control entries change in the course of event time. What is set `after` an instant holds for later times only, so that a signal is
/// judged by its own time, whenever it arrives.
template <class T>
class DatedValue {
public:
    /// Beyond this many changes the oldest are forgotten: times before what is left then take the oldest value kept.
    static constexpr std::size_t most_changes = 1'000;

    explicit DatedValue(T first = {}) : first_{std::move(first)} {}

    /// `after` is never earlier than in the call before. Of several changes after one instant the last holds.
    void set(Timestamp after, T value) {
        if (!changes_.empty() && changes_.back().first == after) changes_.pop_back();
        if (value == newest()) return;
        changes_.emplace_back(after, std::move(value));
        if (changes_.size() <= most_changes) return;
        first_ = std::move(changes_.front().second);
        changes_.erase(changes_.begin());
    }
    const T& at(Timestamp time) const {
        for (auto change = changes_.rbegin(); change != changes_.rend(); ++change) {  // nearly always the newest
            if (change->first < time) return change->second;
        }
        return first_;
    }
    bool has_changes() const { return !changes_.empty(); }
    template <class Archive, class Self>
    static void fields(Archive& archive, Self& self) {
        archive(self.first_, self.changes_);
    }

private:
    const T& newest() const { return changes_.empty() ? first_ : changes_.back().second; }
    T first_;
    std::vector<std::pair<Timestamp, T>> changes_;  // by time
};

/// What a tenant decided about linking: how many entities of a kind a signal may name and still link by them, and which entities never link.
///
/// A decision holds for the signals later in event time than every signal of the tenant before it in the log; a straggler is judged as its
/// contemporaries were. So neither the order in which signals arrive, nor reading them again for a new pattern, changes how one is judged.
class LinkRules {
public:
    static constexpr std::size_t default_limit = 8;

    void set_limit(Timestamp after, std::size_t limit) { limit_.set(after, limit); }
    void set(EntityId entity, Timestamp after, LinkRule rule);

    std::size_t limit(Timestamp time) const { return limit_.at(time); }
    LinkRule rule(EntityId entity, Timestamp time) const;
    std::size_t bytes() const;
    template <class Archive, class Self>
    static void fields(Archive& archive, Self& self) {
        archive(self.limit_, self.entities_);
    }

private:
    DatedValue<std::size_t> limit_{default_limit};
    boost::unordered_flat_map<EntityId, DatedValue<LinkRule>, std::hash<EntityId>> entities_;
};

}  // namespace catenary::engine
