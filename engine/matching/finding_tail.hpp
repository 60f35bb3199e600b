#pragma once

#include "engine/matching/finding_cut.hpp"
#include "engine/matching/matcher.hpp"
#include "engine/matching/timeline.hpp"

#include <boost/container/small_vector.hpp>
#include <boost/unordered/unordered_flat_map.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace catenary::engine {

/// The newest finding of a cut set while it still grows. A signal may serve in instances of the finding before and not yet in this one, so the set's own
/// timelines cannot say what is evidence here: the tail keeps timelines of its own, which know only the instances from the opening on. They take each
/// further signal as the set's do, at the same amortised cost.
class FindingTail {
public:
    /// By timeline: the tails that it must be told of.
    using Followers = boost::unordered_flat_map<const Timeline*, boost::container::small_vector<FindingTail*, 1>>;

    /// Of the instances at or after `opening` that end by `end_max`; `without_late`: those without late signals.
    FindingTail(Followers& followers, const InstanceSpan& opening, Timestamp end_max, bool without_late);
    ~FindingTail();
    FindingTail(const FindingTail&) = delete;
    FindingTail& operator=(const FindingTail&) = delete;

    /// Evidence of the finding apart from those instances, for good.
    void keep(std::span<const StageEvidence> evidence);
    /// What was reported of the finding before; `settle` tells what differs.
    void assume_reported(std::span<const StageEvidence> evidence);
    /// Instances with this completion belong to the set. May be said again.
    void include(const Timeline& timeline, const CompletionKey& key, TimelineContext& context);
    /// A timeline that this one follows has a further signal.
    void add(const Timeline& timeline, const TimelineEntry& entry, TimelineContext& context);

    struct News {
        std::vector<StageEvidence> added;  ///< new, or now of an earlier stage; sorted by handle
        bool withdrawn = false;            ///< some signal is no evidence any more, or of a later stage only
        InstanceSpan least;                ///< of the completions worked out; the greatest span there is when there were none
    };
    News settle(TimelineContext& context);

    /// As last settled, sorted by handle.
    std::vector<StageEvidence> evidence() const;
    const std::vector<EntityId>& principals() const { return principals_; }  ///< sorted
    Timestamp end() const { return end_; }                                   ///< latest activity
    std::size_t bytes() const;

    void save(SnapshotWriter& out) const;
    /// The tail that was saved; `timelines`: of an entity, null when there is none.
    using TimelineOf = std::function<Timeline*(EntityId)>;
    static std::unique_ptr<FindingTail> load(SnapshotReader& in, Followers& followers, const TimelineOf& timelines, const TimelineContext& context);

private:
    /// Instances of one timeline, chosen by one box of limits.
    struct Work {
        InstanceLimits limits;
        std::uint32_t number;
        Timeline again;
    };
    struct Part {
        std::vector<CompletionKey> keys;  // sorted
        boost::container::small_vector<Work, 2> works;
        bool waiting = false;  // has something to work out
    };
    struct Service {
        boost::container::small_vector<std::pair<std::uint32_t, StageMask>, 1> by_work;
        std::uint8_t reported = not_reported;
        template <class Archive, class Self>
        static void fields(Archive& archive, Self& self) {
            archive(self.by_work, self.reported);
        }
    };
    static constexpr std::uint8_t not_reported = 0xFF;
    static constexpr std::uint32_t kept_apart = 0;  // in place of a work's number

    void save(const Part& part, SnapshotWriter& out) const;
    void load(Part& part, SnapshotReader& in, EntityId entity, const TimelineContext& context);
    void wait(Part& part);
    static bool takes(const Work& work, Timestamp time, const TimelineContext& context);
    void work_out(Work& work, TimelineContext& context, News& news);
    void provide(SignalHandle signal, std::uint32_t work, StageMask stages);
    void withdraw(SignalHandle signal, std::uint32_t work, StageMask stages);

    Followers* followers_;
    InstanceSpan opening_;
    Timestamp end_max_;
    bool without_late_;
    std::uint32_t works_ = kept_apart + 1;
    boost::unordered_flat_map<const Timeline*, std::unique_ptr<Part>> parts_;
    std::vector<Part*> waiting_;
    boost::unordered_flat_map<std::uint32_t, Service> services_;  // by signal
    std::vector<std::uint32_t> changed_;                          // signals, perhaps repeated
    std::vector<EntityId> principals_;
    Timestamp end_ = Timestamp::min();
};

}  // namespace catenary::engine
