#include "engine/matching/finding_tail.hpp"

#include <algorithm>
#include <utility>

namespace catenary::engine {

FindingTail::FindingTail(Followers& followers, const InstanceSpan& opening, Timestamp end_max, bool without_late)
    : followers_{&followers}, opening_{opening}, end_max_{end_max}, without_late_{without_late} {}

FindingTail::~FindingTail() {
    for (const auto& [timeline, part] : parts_) {
        const auto place = followers_->find(timeline);
        place->second.erase(std::find(place->second.begin(), place->second.end(), this));
        if (place->second.empty()) followers_->erase(place);
    }
}

void FindingTail::keep(std::span<const StageEvidence> evidence) {
    for (const StageEvidence& one : evidence) provide(one.signal, kept_apart, stage_bit(one.stage));
}

void FindingTail::assume_reported(std::span<const StageEvidence> evidence) {
    for (const StageEvidence& one : evidence) {
        std::uint8_t& reported = services_[one.signal.value()].reported;
        reported = std::min(reported, one.stage);
        changed_.push_back(one.signal.value());
    }
}

void FindingTail::include(const Timeline& timeline, const CompletionKey& key, TimelineContext& context) {
    if (key.time < opening_.start || key.time > end_max_) return;
    std::unique_ptr<Part>& part = parts_[&timeline];
    if (!part) {
        part = std::make_unique<Part>();
        (*followers_)[&timeline].push_back(this);
        const bool from_ever = opening_.start == Timestamp::min();
        const InstanceRegion everything = InstanceRegion::everything();
        const InstanceRegion region = (from_ever ? everything : everything.from(opening_)).ending_by(end_max_);
        const auto& entries = timeline.entries();
        for (const InstanceRegion::Box& box : region.boxes()) {
            part->works.push_back({.limits = {.start_min = box.start_min,
                                              .start_max = box.start_max,
                                              .end_min = std::max(box.end_min, context.limits.end_min),
                                              .end_max = box.end_max,
                                              .without_late = without_late_,
                                              .only = &part->keys},
                                   .number = works_++,
                                   .again = Timeline{timeline.entity(), context.plan}});
            Work& work = part->works.back();
            const auto begin = std::partition_point(entries.begin(), entries.end(), [&](const auto& entry) { return entry.time < box.start_min; });
            for (auto entry = begin; entry != entries.end() && takes(work, entry->time, context); ++entry) {
                work.again.add({entry->time, entry->signal, entry->stages, 0}, context);
            }
        }
    }
    const auto place = std::lower_bound(part->keys.begin(), part->keys.end(), key);
    if (place == part->keys.end() || *place != key) {
        part->keys.insert(place, key);
        for (Work& work : part->works) work.again.work_again_from(key.time, context);
    }
    wait(*part);
}

void FindingTail::add(const Timeline& timeline, const TimelineEntry& entry, TimelineContext& context) {
    Part& part = *parts_.at(&timeline);
    for (Work& work : part.works) {
        if (entry.time < work.limits.start_min || !takes(work, entry.time, context)) continue;
        work.again.add({entry.time, entry.signal, entry.stages, 0}, context);
        wait(part);
    }
}

/// Whether an instance that the work chooses may reach to `time`.
bool FindingTail::takes(const Work& work, Timestamp time, const TimelineContext& context) {
    return time <= work.limits.end_max && (work.limits.start_max == Timestamp::max() || time <= work.limits.start_max + context.plan.within);
}

void FindingTail::wait(Part& part) {
    if (!std::exchange(part.waiting, true)) waiting_.push_back(&part);
}

FindingTail::News FindingTail::settle(TimelineContext& context) {
    News news{{}, false, {Timestamp::max(), Timestamp::max()}};
    for (Part* part : std::exchange(waiting_, {})) {
        part->waiting = false;
        for (Work& work : part->works) work_out(work, context, news);
    }

    std::sort(changed_.begin(), changed_.end());
    changed_.erase(std::unique(changed_.begin(), changed_.end()), changed_.end());
    for (const std::uint32_t signal : std::exchange(changed_, {})) {
        const auto place = services_.find(signal);
        Service& service = place->second;
        StageMask stages = 0;
        for (const auto& [work, served] : service.by_work) stages = static_cast<StageMask>(stages | served);
        if (stages == 0) {
            news.withdrawn = news.withdrawn || service.reported != not_reported;
            services_.erase(place);
            continue;
        }
        const StageIndex stage = context.plan.earliest(stages);
        if (stage < service.reported) news.added.push_back({SignalHandle{signal}, stage});
        news.withdrawn = news.withdrawn || (service.reported != not_reported && stage > service.reported);
        service.reported = stage;
    }
    return news;
}

void FindingTail::work_out(Work& work, TimelineContext& context, News& news) {
    const InstanceLimits own = std::exchange(context.limits, work.limits);
    Timeline& again = work.again;
    again.process(context);
    context.limits = own;

    if (const auto* back = again.taken_back()) {
        for (const Timeline::TakenBack::Lost& lost : back->services) withdraw(lost.signal, work.number, lost.stages);
    }
    constexpr std::uint32_t counted = 0;  // makes the timeline tell when it takes the completion back
    for (std::size_t c = again.unregistered_from(); c < again.completions().size(); ++c) {
        again.each_served(c, [&](std::size_t entry, StageMask stages) { provide(again.entries()[entry].signal, work.number, stages); });
        Completion& completion = again.completions()[c];
        completion.vertex = counted;
        news.least = std::min(news.least, {completion.first_start, completion.time});
    }
    for (const Timeline::Alike& pair : again.alike()) {
        const TimelineEntry& entry = again.entries()[pair.entry];
        provide(entry.signal, work.number, entry.served);
    }
    again.clear_changes();
    if (again.completions().empty()) return;
    // A further signal never takes the last instance of a completion away, only what is evidence of it.
    end_ = std::max(end_, again.completions().back().time);
    const auto place = std::lower_bound(principals_.begin(), principals_.end(), again.entity());
    if (place == principals_.end() || *place != again.entity()) principals_.insert(place, again.entity());
}

void FindingTail::provide(SignalHandle signal, std::uint32_t work, StageMask stages) {
    auto& by_work = services_[signal.value()].by_work;
    const auto known = std::find_if(by_work.begin(), by_work.end(), [&](const auto& one) { return one.first == work; });
    if (known == by_work.end()) by_work.emplace_back(work, stages);
    else known->second = static_cast<StageMask>(known->second | stages);
    changed_.push_back(signal.value());
}

void FindingTail::withdraw(SignalHandle signal, std::uint32_t work, StageMask stages) {
    const auto service = services_.find(signal.value());
    if (service == services_.end()) return;
    for (auto& [known, served] : service->second.by_work) {
        if (known == work) served = static_cast<StageMask>(served & ~stages);
    }
    changed_.push_back(signal.value());
}

std::vector<StageEvidence> FindingTail::evidence() const {
    std::vector<StageEvidence> all;
    all.reserve(services_.size());
    for (const auto& [signal, service] : services_) {
        if (service.reported != not_reported) all.push_back({SignalHandle{signal}, service.reported});
    }
    std::sort(all.begin(), all.end(), [](const StageEvidence& left, const StageEvidence& right) { return left.signal < right.signal; });
    return all;
}

std::size_t FindingTail::bytes() const {
    std::size_t total = sizeof(*this) + services_.bucket_count() * (sizeof(Service) + 5);
    for (const auto& [timeline, part] : parts_) {
        total += sizeof(Part) + part->keys.capacity() * sizeof(CompletionKey);
        for (const Work& work : part->works) total += work.again.bytes();
    }
    return total;
}

}  // namespace catenary::engine
