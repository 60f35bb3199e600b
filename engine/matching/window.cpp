#include "engine/matching/window.hpp"

#include "engine/model/assert.hpp"
#include "engine/scoring/score.hpp"

#include <algorithm>
#include <cstring>
#include <type_traits>

namespace catenary::engine {
namespace {

std::uint8_t phases_of(const SignalView& signal) {
    unsigned phases = 0;
    for (const std::string& tactic : signal.tactics) {
        if (const int phase = phase_of(tactic); phase >= 0) phases |= 1U << static_cast<unsigned>(phase);
    }
    return static_cast<std::uint8_t>(phases);
}

}  // namespace

static_assert(std::is_trivially_copyable_v<LinkEntity> && alignof(LinkEntity) <= alignof(std::max_align_t), "links are copied into raw storage");

SignalHandle SignalWindow::add(const SignalView& signal, bool late, Origin origin, Symbol source, Symbol domain, Symbol name,
                               std::span<const LinkEntity> links) {
    if (free_.empty()) {
        free_.push_back(static_cast<std::uint32_t>(slots_.size()));
        slots_.grow_to(slots_.size() + 1);
    }
    const SignalHandle handle{free_.back()};
    free_.pop_back();
    count_origin(origin, source, domain, name, signal.source);
    slots_[handle.value()].facts = {.time = signal.time,
                                    .origin = origin,
                                    .confidence = static_cast<float>(signal.confidence),
                                    .count = static_cast<std::uint32_t>(std::clamp<std::int64_t>(signal.count, 0, WindowSignal::most_counted)),
                                    .phases = phases_of(signal),
                                    .late = late,
                                    .links = 0};
    fill(handle, signal.id, links);
    return handle;
}

void SignalWindow::fill(SignalHandle handle, std::string_view id, std::span<const LinkEntity> links) {
    CATENARY_ASSERT(links.size() <= most_links, "a signal names few entities");
    Slot& slot = slots_[handle.value()];
    slot.facts.links = static_cast<std::uint8_t>(links.size());
    slot.tail = tails_.add(handle.value(), links.size_bytes() + id.size());
    std::byte* tail = tails_.at(slot.tail);
    if (!links.empty()) std::memcpy(tail, links.data(), links.size_bytes());
    if (!id.empty()) std::memcpy(tail + links.size_bytes(), id.data(), id.size());
}

void SignalWindow::count_origin(Origin origin, Symbol source, Symbol domain, Symbol name, std::string_view text) {
    if (origin.value() >= origins_.size()) origins_.resize(origin.value() + 1);
    OriginFacts& facts = origins_[origin.value()];
    if (facts.signals++ > 0) return;
    facts.source = source;
    facts.domain = domain;
    facts.name = name;
    facts.text = std::make_unique<const std::string>(text);
}

void SignalWindow::release(SignalHandle handle) {
    Slot& slot = slots_[handle.value()];
    CATENARY_ASSERT(slot.tail != TailStore::nowhere, "a slot is released once");
    OriginFacts& facts = origins_[slot.facts.origin.value()];
    if (--facts.signals == 0) facts.text.reset();
    const TailStore::Place tail = slot.tail;
    slot = Slot{};
    tails_.release(
        tail, [this](std::uint32_t owner) { return slots_[owner].tail; }, [this](std::uint32_t owner, TailStore::Place to) { slots_[owner].tail = to; });
    free_.push_back(handle.value());
}

std::string_view SignalWindow::id(SignalHandle handle) const {
    const Slot& slot = slots_[handle.value()];
    const std::size_t links = slot.facts.links * sizeof(LinkEntity);
    return {reinterpret_cast<const char*>(tails_.at(slot.tail) + links), tails_.size(slot.tail) - links};
}

std::span<const LinkEntity> SignalWindow::links(SignalHandle handle) const {
    const Slot& slot = slots_[handle.value()];
    return {reinterpret_cast<const LinkEntity*>(tails_.at(slot.tail)), slot.facts.links};
}

SignalRef SignalWindow::ref(SignalHandle handle) const { return {slots_[handle.value()].facts.time, std::string{source(handle)}, std::string{id(handle)}}; }

bool SignalWindow::before(SignalHandle left, SignalHandle right) const {
    const WindowSignal& a = (*this)[left];
    const WindowSignal& b = (*this)[right];
    if (a.time != b.time) return a.time < b.time;
    if (a.origin != b.origin && origin(left).source != origin(right).source) return source(left) < source(right);
    return id(left) < id(right);
}

std::size_t SignalWindow::bytes() const {
    return slots_.bytes() + tails_.bytes() + free_.capacity() * sizeof(std::uint32_t) + origins_.capacity() * (sizeof(OriginFacts) + sizeof(std::string));
}

}  // namespace catenary::engine
