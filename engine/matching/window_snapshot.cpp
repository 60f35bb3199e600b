#include "engine/matching/window.hpp"
#include "engine/snapshot/codec.hpp"
#include "engine/snapshot/places.hpp"

namespace catenary::engine {

void SignalWindow::save_signal(SignalHandle handle, SnapshotWriter& out) const {
    const WindowSignal& facts = (*this)[handle];
    out(facts.time, facts.confidence, facts.phases, facts.late, facts.count);
    out.text(id(handle));
    const auto own = links(handle);
    out(own.size());
    for (const LinkEntity& link : own) out(link);
}

void SignalWindow::load_signal(SignalHandle handle, Origin origin, Symbol source, Symbol domain, Symbol name, std::string_view source_text,
                               SnapshotReader& in) {
    WindowSignal& facts = slots_[handle.value()].facts;
    facts.origin = origin;
    std::string id;
    std::vector<LinkEntity> links;
    in(facts.time, facts.confidence, facts.phases, facts.late, facts.count, id, links);
    SnapshotReader::require(links.size() <= most_links, "a signal names too many entities");
    fill(handle, id, links);
    count_origin(origin, source, domain, name, source_text);
}

void SignalWindow::save_places(SnapshotWriter& out) const { out(slots_.size(), free_); }

void SignalWindow::load_places(const std::vector<bool>& used, SnapshotReader& in) {
    const auto size = in.number<std::size_t>();
    SnapshotReader::require(size == used.size(), "the window's places are not those of its signals");
    load_free_places(in, free_, used);
    slots_.grow_to(size);
}

}  // namespace catenary::engine
