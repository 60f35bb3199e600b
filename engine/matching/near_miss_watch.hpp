#pragma once

#include "engine/matching/stage_plan.hpp"
#include "engine/model/ids.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <utility>

namespace catenary::engine {

/// Whose chains are to be looked at for near misses, and when. Chains that start at s are over once the watermark has passed s + `within`; an entity is looked at
/// an eighth of `within` later (at most twelve hours), for all starts up to the watermark minus `within` at once. So each signal is looked at some ten times
/// however many an entity has, and before it is forgotten.
class NearMissWatch {
public:
    explicit NearMissWatch(const StagePlan& plan)
        : mandatory_{plan.mandatory},
          within_{plan.within},
          delay_{plan.within + std::min<Duration>(plan.within / 8, std::chrono::hours{12})},
          is_enabled_{stage_count(plan.mandatory) > 1} {}

    /// A pattern with a single mandatory stage has no near misses.
    bool is_enabled() const { return is_enabled_; }
    /// Whether signals that offer these stages may be all but one stage of an instance.
    bool may_lack_one(StageMask offered) const { return stage_count(static_cast<StageMask>(mandatory_ & ~offered)) <= 1; }
    /// From when on the entity is to be looked at; empty: it is not.
    std::optional<Timestamp> noted(EntityId entity) const {
        if (!waiting_) return std::nullopt;
        const auto found = waiting_->from.find(entity.value());
        return found == waiting_->from.end() ? std::nullopt : std::optional{found->second};
    }
    /// Chains of the entity that start at or after `from` are to be looked at.
    void note(EntityId entity, Timestamp from) {
        if (!waiting_) waiting_ = std::make_unique<Waiting>();
        const auto [place, is_new] = waiting_->from.try_emplace(entity.value(), from);
        if (is_new) waiting_->queue.push_back({from, entity.value()});
        else place->second = std::min(place->second, from);
    }
    /// The watermark at which the next entity is due; Timestamp::max() when none is.
    Timestamp next_due() const {
        if (!waiting_ || waiting_->queue.empty()) return Timestamp::max();
        const Timestamp from = waiting_->queue.front().from;
        return from > Timestamp::max() - delay_ ? Timestamp::max() : from + delay_;
    }
    /// Calls `look(entity, from, to)` for each entity that is due: at its chains that start in [from, to]. It returns from when on the entity is to be looked at
    /// again, the time of one of its signals after `to`; empty: not until it is noted.
    template <class Look>
    void look(Timestamp watermark, Look look) {
        while (next_due() <= watermark) {
            auto& [queue, noted] = *waiting_;
            const std::uint32_t entity = queue.front().entity;
            queue.pop_front();
            const auto place = noted.find(entity);
            std::optional<Timestamp> next = place->second;
            while (next && *next + delay_ <= watermark) next = look(EntityId{entity}, *next, watermark - within_ - Duration{1});
            if (!next) {
                noted.erase(place);
                continue;
            }
            place->second = *next;
            queue.push_back({*next, entity});
        }
    }
    std::size_t bytes() const {
        return waiting_
                   ? sizeof(Waiting) + waiting_->queue.size() * sizeof(Due) + waiting_->from.bucket_count() * (sizeof(std::pair<std::uint32_t, Timestamp>) + 1)
                   : 0;
    }
    template <class Archive, class Self>
    static void fields(Archive& archive, Self& self) {
        archive(self.waiting_);
    }
    /// Calls `visit(EntityId)` for each entity that is to be looked at.
    template <class Visit>
    void each(Visit visit) const {
        if (!waiting_) return;
        for (const auto& [entity, from] : waiting_->from) visit(EntityId{entity});
    }
    /// What was read is consistent: everyone waits once.
    bool is_sound() const;

private:
    struct Due {
        Timestamp from;
        std::uint32_t entity;
        template <class Archive, class Self>
        static void fields(Archive& archive, Self& self) {
            archive(self.from, self.entity);
        }
    };
    struct Waiting {
        std::deque<Due> queue;  // as they were noted, which is by time but for signals that came out of order; each entity once
        boost::unordered_flat_map<std::uint32_t, Timestamp> from;  // by entity
        template <class Archive, class Self>
        static void fields(Archive& archive, Self& self) {
            archive(self.queue, self.from);
        }
    };
    StageMask mandatory_;
    Duration within_;
    Duration delay_;
    bool is_enabled_;
    std::unique_ptr<Waiting> waiting_;  // made for the first: most patterns of most tenants never have any
};

}  // namespace catenary::engine
