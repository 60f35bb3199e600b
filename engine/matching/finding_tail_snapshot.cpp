#include "engine/matching/finding_tail.hpp"
#include "engine/snapshot/codec.hpp"
#include "engine/snapshot/last_values.hpp"

#include <tuple>

namespace catenary::engine {
namespace {

/// In the order of their entities: where they are in memory is chance.
template <class Parts>
auto by_entity(const Parts& parts) {
    std::vector<std::pair<EntityId, const typename Parts::mapped_type*>> ordered;
    for (const auto& [timeline, part] : parts) ordered.emplace_back(timeline->entity(), &part);
    std::sort(ordered.begin(), ordered.end());
    return ordered;
}

}  // namespace

void FindingTail::save(SnapshotWriter& out) const {
    out(opening_, end_max_, without_late_, works_, principals_, end_, parts_.size());
    boost::unordered_flat_map<const Part*, std::uint32_t> numbers;
    for (const auto& [entity, part] : by_entity(parts_)) {
        numbers.emplace(part->get(), static_cast<std::uint32_t>(numbers.size()));
        out(entity);
        save(**part, out);
    }
    out(waiting_.size());
    for (const Part* part : waiting_) out(numbers.at(part));
    out(services_.size());
    for (const auto* service : in_order(out, services_)) out(SignalHandle{service->first}, service->second);
    out(changed_.size());
    for (const std::uint32_t signal : changed_) out(SignalHandle{signal});
}

void FindingTail::save(const Part& part, SnapshotWriter& out) const {
    out(part.keys, part.works.size());
    for (const Work& work : part.works) {
        out(work.limits.start_min, work.limits.start_max, work.limits.end_min, work.limits.end_max, work.number);
        work.again.save(out);
    }
}

std::unique_ptr<FindingTail> FindingTail::load(SnapshotReader& in, Followers& followers, const TimelineOf& timelines, const TimelineContext& context) {
    InstanceSpan opening{};
    Timestamp end_max;
    bool without_late = false;
    in(opening, end_max, without_late);
    auto tail = std::make_unique<FindingTail>(followers, opening, end_max, without_late);
    in(tail->works_, tail->principals_, tail->end_);
    std::vector<Part*> parts;
    for (std::size_t left = in.count(); left > 0; --left) {
        const EntityId entity{in.number<std::uint32_t>()};
        const Timeline* timeline = timelines(entity);
        SnapshotReader::require(timeline != nullptr && !tail->parts_.contains(timeline), "a finding goes on with an unknown entity");
        parts.push_back(tail->parts_.emplace(timeline, std::make_unique<Part>()).first->second.get());
        followers[timeline].push_back(tail.get());
        tail->load(*parts.back(), in, entity, context);
    }
    for (std::size_t left = in.count(); left > 0; --left) {
        const auto number = in.number<std::uint32_t>();
        SnapshotReader::require(number < parts.size() && !parts[number]->waiting, "an unknown part waits");
        tail->wait(*parts[number]);
    }
    for (std::size_t left = in.count(); left > 0; --left) {
        SignalHandle signal;
        Service service;
        in(signal, service);
        SnapshotReader::require(service.reported < context.plan.stages || service.reported == not_reported, "a signal serves an unknown stage");
        for (const auto& [work, stages] : service.by_work) {
            SnapshotReader::require((stages & ~(context.plan.all | lone_bit)) == 0, "a signal serves an unknown stage");
        }
        SnapshotReader::require(tail->services_.emplace(signal.value(), std::move(service)).second, "a signal serves twice");
    }
    for (std::size_t left = in.count(); left > 0; --left) {
        SignalHandle signal;
        in(signal);
        SnapshotReader::require(tail->services_.contains(signal.value()), "a signal changed that does not serve");
        tail->changed_.push_back(signal.value());
    }
    return tail;
}

void FindingTail::load(Part& part, SnapshotReader& in, EntityId entity, const TimelineContext& context) {
    in(part.keys);
    for (std::size_t left = in.count(); left > 0; --left) {
        InstanceLimits limits{.without_late = without_late_, .only = &part.keys};
        std::uint32_t number = 0;
        in(limits.start_min, limits.start_max, limits.end_min, limits.end_max, number);
        part.works.push_back({.limits = limits, .number = number, .again = Timeline{entity, context.plan}});
        part.works.back().again.load(in, context);
    }
}

}  // namespace catenary::engine
