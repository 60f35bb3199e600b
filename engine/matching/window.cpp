#include "engine/matching/window.hpp"

#include "engine/model/assert.hpp"
#include "engine/scoring/score.hpp"

#include <cstring>
#include <tuple>
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

SignalHandle SignalWindow::add(const SignalView& signal, Position position, bool late, Symbol source, Symbol domain, Symbol name,
                               std::span<const LinkEntity> links) {
    if (free_.empty()) {
        free_.push_back(static_cast<std::uint32_t>(slots_.size()));
        slots_.emplace_back();
    }
    const SignalHandle handle{free_.back()};
    free_.pop_back();
    count_source(source, signal.source);

    Slot& slot = slots_[handle.value()];
    slot.facts = {.time = signal.time,
                  .position = position,
                  .source = source,
                  .domain = domain,
                  .name = name,
                  .confidence = static_cast<float>(signal.confidence),
                  .phases = phases_of(signal),
                  .late = late,
                  .count = signal.count};
    fill(slot, signal.id, links);
    return handle;
}

void SignalWindow::fill(Slot& slot, std::string_view id, std::span<const LinkEntity> links) {
    slot.id_length = static_cast<std::uint32_t>(id.size());
    slot.link_count = static_cast<std::uint32_t>(links.size());
    slot.tail = std::make_unique<std::byte[]>(tail_bytes(slot));
    if (!links.empty()) std::memcpy(slot.tail.get(), links.data(), links.size_bytes());
    if (!id.empty()) std::memcpy(slot.tail.get() + links.size_bytes(), id.data(), id.size());
    bytes_ += tail_bytes(slot);
}

void SignalWindow::count_source(Symbol source, std::string_view text) {
    SourceText& known = sources_[source.value()];
    if (!known.text) known.text = std::make_unique<const std::string>(text);
    ++known.signals;
}

void SignalWindow::release(SignalHandle handle) {
    Slot& slot = slots_[handle.value()];
    CATENARY_ASSERT(slot.tail != nullptr, "a slot is released once");
    const auto text = sources_.find(slot.facts.source.value());
    if (--text->second.signals == 0) sources_.erase(text);
    bytes_ -= tail_bytes(slot);
    slot = Slot{};
    free_.push_back(handle.value());
}

std::string_view SignalWindow::id(SignalHandle handle) const {
    const Slot& slot = slots_[handle.value()];
    return {reinterpret_cast<const char*>(slot.tail.get() + slot.link_count * sizeof(LinkEntity)), slot.id_length};
}

std::string_view SignalWindow::source(SignalHandle handle) const { return *sources_.find(slots_[handle.value()].facts.source.value())->second.text; }

std::span<const LinkEntity> SignalWindow::links(SignalHandle handle) const {
    const Slot& slot = slots_[handle.value()];
    return {reinterpret_cast<const LinkEntity*>(slot.tail.get()), slot.link_count};
}

SignalRef SignalWindow::ref(SignalHandle handle) const { return {slots_[handle.value()].facts.time, std::string{source(handle)}, std::string{id(handle)}}; }

bool SignalWindow::before(SignalHandle left, SignalHandle right) const {
    const WindowSignal& a = (*this)[left];
    const WindowSignal& b = (*this)[right];
    if (a.time != b.time) return a.time < b.time;
    if (a.source != b.source) return source(left) < source(right);
    return id(left) < id(right);
}

std::size_t SignalWindow::bytes() const {
    return bytes_ + slots_.capacity() * sizeof(Slot) + free_.capacity() * sizeof(std::uint32_t) + sources_.size() * (sizeof(SourceText) + sizeof(std::string));
}

}  // namespace catenary::engine
