#pragma once

#include "engine/matching/distinct_values.hpp"
#include "engine/matching/instant_group.hpp"
#include "engine/matching/stage_plan.hpp"
#include "engine/matching/tightest_suffix.hpp"
#include "engine/matching/window.hpp"
#include "engine/snapshot/snapshot_fwd.hpp"

#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace catenary::engine {

constexpr SignalHandle no_signal{0xFFFF'FFFF};

/// Names the instances of one timeline that end at one instant with one last stage: they all hang together through shared signals. The exception,
/// a signal that is an instance by itself, is named alone.
struct CompletionKey {
    Timestamp time;
    StageIndex last;
    SignalHandle alone = no_signal;
    void save(SnapshotWriter& out) const;
    void load(SnapshotReader& in);
    friend auto operator<=>(const CompletionKey&, const CompletionKey&) = default;
};

/// Which instances count: all four limits inclusive, on the start and on the end of an instance.
struct InstanceLimits {
    Timestamp start_min = Timestamp::min();
    Timestamp start_max = Timestamp::max();
    Timestamp end_min = Timestamp::min();
    Timestamp end_max = Timestamp::max();
    bool without_late = false;                         ///< only instances without a late signal
    const std::vector<CompletionKey>* only = nullptr;  ///< sorted: only instances of these completions; null means of all
};

/// What the timelines of one matcher share, and room to work in.
struct TimelineContext {
    const StagePlan& plan;
    const SignalWindow& window;
    const DistinctValues& values;
    InstanceLimits limits;
    InstantGroup group;                        // scratch
    std::vector<InstantGroup::Class> classes;  // scratch: of one instant
    std::vector<StageMask> services;           // scratch: the stages each of those classes can serve
    std::uint64_t work = 0;                    ///< steps taken, for tests of the bounds
};

/// A run of chosen stages, first..last, that all complete at one instant, served by distinct signals. Almost always first == last.
struct Segment {
    Timestamp time;         ///< the instant
    Timestamp start;        ///< of the occurrence of `first`; the others take no time
    Timestamp latest;       ///< the latest start of a chain of chosen stages that goes through here
    std::uint32_t entry;    ///< first entry of the instant
    std::uint32_t from;     ///< an entry that the occurrence of `first` starts with; only of a repeated stage
    std::uint32_t visitor;  ///< the first completion whose instances go through here; meaningless unless visited
    StageMask visited;      ///< last stages of the completions whose instances go through here
    StageMask available;    ///< stages that can be served at this instant within this segment
    template <class Archive, class Self>
    static void fields(Archive& archive, Self& self) {
        archive(self.time, self.start, self.latest, self.entry, self.from, self.visitor, self.visited, self.available);
    }
};

/// Segments of one kind in time order; start and latest never fall from one to the next.
struct SegmentList {
    StageIndex first;
    StageIndex last;
    bool begins;  ///< the segment opens the instance
    std::vector<Segment> segments;
    template <class Archive, class Self>
    static void fields(Archive& archive, Self& self) {
        archive(self.first, self.last, self.begins, self.segments);
    }
};

/// What a completion did, in order, so that it can be undone.
struct Trace {
    enum class Kind : std::uint8_t {
        visit,        ///< segment `b` of list `a` was visited; `stages`: the completion's last stage
        serve_class,  ///< signals of class `mask` at the instant of entry `a` came to serve `stages`
        serve_span,   ///< signals of the one stage of `stages` from entry `a` to the end of the instant of entry `b` came to serve it
        alone,        ///< the signal of entry `a` is an instance by itself
        meets,        ///< goes through a segment of completion `a`
        shares,       ///< has the signal of entry `a` as evidence, which served before
    };
    Kind kind;
    StageMask stages;
    StageMask mask;
    std::uint32_t a;
    std::uint32_t b;
    template <class Archive, class Self>
    static void fields(Archive& archive, Self& self) {
        archive(self.kind, self.stages, self.mask, self.a, self.b);
    }
};

constexpr std::uint32_t no_vertex = 0xFFFF'FFFF;

struct Completion {
    Timestamp time;
    Timestamp first_start;      ///< the earliest start of its instances
    std::uint32_t trace_begin;  ///< its traces end where those of the next one begin
    std::uint32_t vertex;       ///< its number among the connected sets; no_vertex until registered
    StageIndex last;
    bool alone;
    template <class Archive, class Self>
    static void fields(Archive& archive, Self& self) {
        archive(self.time, self.first_start, self.trace_begin, self.vertex, self.last, self.alone);
    }
};

/// The signals of one linking entity, and which of them are on instances. Everything up to some instant is worked out; taking that back and working
/// on is how a signal out of time order is inserted: one code path. engine/matching/README.md has the argument.
class Timeline {
public:
    explicit Timeline(EntityId entity, const StagePlan& plan);

    EntityId entity() const { return entity_; }
    bool empty() const { return entries_.empty(); }

    /// Takes a signal; `process` works out what follows. An earlier time than the last takes back what was worked out from there on.
    void add(const TimelineEntry& entry, TimelineContext& context);
    void process(TimelineContext& context);
    /// Takes back what was worked out from `time` on; `process` works it out again.
    void work_again_from(Timestamp time, TimelineContext& context);

    const std::vector<TimelineEntry>& entries() const { return entries_; }
    /// The signals of one instant.
    std::span<const TimelineEntry> instant(Timestamp time) const;
    /// Whether all signals of the instant satisfy one and the same stage and no other.
    bool is_of_one_stage(Timestamp time) const;
    const std::vector<Completion>& completions() const { return completions_; }
    std::vector<Completion>& completions() { return completions_; }
    std::span<const Trace> traces(std::size_t completion) const;
    CompletionKey key(std::size_t completion) const;
    /// Calls `visit(entry index, stages it came to serve)` for the signals that the traces of a completion brought in.
    template <class Visit>
    void each_served(std::size_t completion, Visit visit) const;

    /// Signals that complete the last stage in instances of the completion. With limits that pin start and end: of exactly those instances.
    std::vector<SignalHandle> completing_signals(std::size_t completion, TimelineContext& context) const;

    /// What was taken back since the last call of `clear_changes`, of completions that had been registered.
    struct TakenBack {
        struct Gone {
            std::uint32_t vertex;
            CompletionKey key;
            template <class Archive, class Self>
            static void fields(Archive& archive, Self& self) {
                archive(self.vertex, self.key);
            }
        };
        struct Lost {
            SignalHandle signal;
            std::uint32_t vertex;  ///< that had brought the signal in
            StageMask stages;
            template <class Archive, class Self>
            static void fields(Archive& archive, Self& self) {
                archive(self.signal, self.vertex, self.stages);
            }
            friend auto operator<=>(const Lost&, const Lost&) = default;
        };
        std::vector<Gone> completions;
        std::vector<Lost> services;
        template <class Archive, class Self>
        static void fields(Archive& archive, Self& self) {
            archive(self.completions, self.services);
        }
    };
    const TakenBack* taken_back() const { return taken_back_.get(); }
    /// Completions from here on have not been registered.
    std::size_t unregistered_from() const { return registered_; }
    /// Signals that joined an instant already worked out, each exactly like another one of its class that came before.
    struct Alike {
        std::uint32_t entry;
        std::uint32_t model;
        template <class Archive, class Self>
        static void fields(Archive& archive, Self& self) {
            archive(self.entry, self.model);
        }
    };
    const std::vector<Alike>& alike() const { return alike_; }
    bool has_changes() const { return taken_back_ || registered_ < completions_.size() || !alike_.empty(); }
    bool is_worked_out() const { return processed_ == entries_.size(); }
    void clear_changes();

    /// Removes the entries before `cutoff`, with what was worked out there, and appends their signals to `removed`. Nothing counted from now on
    /// may need them.
    void expire(Timestamp cutoff, TimelineContext& context, std::vector<SignalHandle>& removed);
    std::size_t bytes() const;

    void save(SnapshotWriter& out) const;
    /// Into a timeline that was given nothing.
    void load(SnapshotReader& in, const TimelineContext& context);

private:
    void check(const StagePlan& plan) const;
    void check(const Trace& trace) const;
    std::size_t instant_end(std::size_t begin) const;
    void push_instant(std::size_t begin, std::size_t end, TimelineContext& context);
    void work_out_instant(std::size_t begin, std::size_t end, TimelineContext& context);
    void extend_instant(std::size_t end, TimelineContext& context);
    void copy_services(std::size_t begin, std::size_t end, TimelineContext& context);
    void take_back(Timestamp from);
    void undo(const Trace& trace, std::uint32_t vertex);

    // timeline_instant.cpp: forward, one instant
    std::optional<Timestamp> latest_before(StageIndex stage, Timestamp gate, Timestamp floor, TimelineContext& context) const;
    SegmentList& list(StageIndex first, StageIndex last, bool begins);

    // timeline_completion.cpp: backward, from a completion
    struct Walk;
    void complete(StageIndex last, std::size_t begin, TimelineContext& context);
    void complete_alone(std::size_t entry, TimelineContext& context);
    void take(Walk& walk, std::size_t list, std::size_t index, TimelineContext& context);
    void serve(const SegmentList& list, const Segment& segment, TimelineContext& context);
    void serve_by_class(std::size_t entry, TimelineContext& context);
    void serve_span(StageIndex stage, std::size_t from, std::size_t entry, TimelineContext& context);
    void group_at(std::size_t entry, StageMask available, TimelineContext& context) const;

    EntityId entity_;
    std::uint32_t processed_ = 0;   // entries before it are worked out
    std::uint32_t open_begin_ = 0;  // first entry of the newest instant worked out
    std::uint32_t registered_ = 0;
    bool open_ = false;                   // more signals of the newest instant can be joined without taking it back
    std::vector<TimelineEntry> entries_;  // by time; inside an instant by arrival
    std::vector<SegmentList> lists_;
    std::vector<Completion> completions_;
    std::vector<Trace> traces_;
    std::vector<TightestSuffix> suffixes_;               // one a repeated stage
    std::vector<std::optional<Timestamp>> open_starts_;  // of the newest instant, one a repeated stage
    std::vector<InstantGroup::Class> open_classes_;      // of the newest instant
    std::vector<Alike> alike_;
    std::unique_ptr<TakenBack> taken_back_;
};

template <class Visit>
void Timeline::each_served(std::size_t completion, Visit visit) const {
    for (const Trace& trace : traces(completion)) {
        switch (trace.kind) {
            case Trace::Kind::serve_class: {
                const Timestamp time = entries_[trace.a].time;
                for (std::size_t i = trace.a; i < entries_.size() && entries_[i].time == time; ++i) {
                    if (entries_[i].stages == trace.mask) visit(i, trace.stages);
                }
                break;
            }
            case Trace::Kind::serve_span: {
                const Timestamp time = entries_[trace.b].time;
                for (std::size_t i = trace.a; i < entries_.size() && entries_[i].time <= time; ++i) {
                    if ((entries_[i].stages & trace.stages) != 0) visit(i, trace.stages);
                }
                break;
            }
            case Trace::Kind::alone: visit(trace.a, lone_bit); break;
            case Trace::Kind::visit:
            case Trace::Kind::meets:
            case Trace::Kind::shares: break;
        }
    }
}

}  // namespace catenary::engine
