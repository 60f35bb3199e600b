#include "engine/matching/window.hpp"
#include "engine/snapshot/codec.hpp"
#include "engine/snapshot/places.hpp"

namespace catenary::engine {

void SignalWindow::save_signal(SignalHandle handle, SnapshotWriter& out) const {
    const WindowSignal& facts = (*this)[handle];
    out(facts.time, facts.position, facts.confidence, facts.phases, facts.late, facts.count);
    out.text(id(handle));
    const auto own = links(handle);
    out(own.size());
    for (const LinkEntity& link : own) out(link);
}

void SignalWindow::load_signal(SignalHandle handle, Symbol source, Symbol domain, Symbol name, std::string_view source_text, SnapshotReader& in) {
    Slot& slot = slots_.at(handle.value());
    slot.facts.source = source;
    slot.facts.domain = domain;
    slot.facts.name = name;
    std::string id;
    std::vector<LinkEntity> links;
    in(slot.facts.time, slot.facts.position, slot.facts.confidence, slot.facts.phases, slot.facts.late, slot.facts.count, id, links);
    fill(slot, id, links);
    count_source(source, source_text);
}

void SignalWindow::save_places(SnapshotWriter& out) const { out(slots_.size(), free_); }

void SignalWindow::load_places(const std::vector<bool>& used, SnapshotReader& in) {
    const auto size = in.number<std::size_t>();
    SnapshotReader::require(size == used.size(), "the window's places are not those of its signals");
    load_free_places(in, free_, used);
    slots_.resize(size);
}

}  // namespace catenary::engine
