#include "engine/matching/candidates.hpp"

#include "engine/model/assert.hpp"
#include "engine/snapshot/codec.hpp"

#include <algorithm>

namespace catenary::engine {

/// In canonical order: numbers depend on what was forgotten when.
void Candidates::save(SnapshotWriter& out) const {
    std::vector<Id> ids;
    for (Id id = 0; id < pool_.size(); ++id) {
        CATENARY_ASSERT(pool_[id].state != State::let_go, "what is let go of is forgotten before anything is saved");
        if (pool_[id].state != State::free) ids.push_back(id);
    }
    if (!out.is_naming()) {
        std::sort(ids.begin(), ids.end(), [&](Id left, Id right) { return window_.before(pool_[left].entry.signal, pool_[right].entry.signal); });
    }
    out(ids.size());
    for (const Id id : ids) {
        const Candidate& one = pool_[id];
        out(one.entry, one.held, one.state == State::closed);
        if (one.state == State::closed) out(floors_.at(id));
        for (const Reached& reached : one.reached) out(reached);
        each_node(id, [&](const Node& node, Timestamp start) {
            if (has_stage(plan_.repeated, node.stage) && start != unreached) out(begins_.at(key(node)));
        });
    }
    out(capped_);
}

void Candidates::load(SnapshotReader& in) {
    const auto require = SnapshotReader::require;
    const bool is_linked = plan_.pattern->link != LinkMode::none;
    for (std::size_t left = in.count(); left > 0; --left) {
        ListedEntry entry{};
        bool is_closed = false;
        bool is_held = false;
        in(entry, is_held, is_closed);
        require((entry.stages & ~plan_.all) == 0 && entry.stages != 0, "a signal serves an unknown stage");
        require(!entry.links.empty() && entry.links.size() <= SignalWindow::most_links, "a signal that links nothing waits for others");
        if (is_linked) {
            for (const ListedEntry::Link& link : entry.links) in.check(link.entity);
        }
        const auto id = static_cast<Id>(pool_.size());
        require(id == 0 || window_.before(pool_[id - 1].entry.signal, entry.signal), "signals are out of order");
        Candidate& one = pool_.emplace_back(Candidate{std::move(entry), {}, is_held, is_closed ? State::closed : State::open});
        if (is_closed) {
            Timestamp floor;
            in(floor);
            require(floor > one.entry.time, "what is closed may go on");
            floors_.emplace(id, floor);
        }
        one.reached.resize(one.entry.links.size() * stage_count(one.entry.stages));
        for (Reached& reached : one.reached) in(reached);
        account(one, true);
        for (std::size_t link = 0; link < one.entry.links.size(); ++link) {
            lines_[one.entry.links[link].entity.value()].push_back({one.entry.time, id, one.entry.stages, static_cast<std::uint8_t>(link)});
        }
        if (plan_.pattern->order == Order::any) {
            each_node(id, [&](const Node&, Timestamp start) { require(start == unreached, "a chain is told of where stages have no order"); });
            note_newest(one);
            continue;
        }
        each_node(id, [&](const Node& node, Timestamp start) {
            require(start <= pool_[id].entry.time, "a chain starts after it ends");
            if (start == unreached) return;
            if (has_stage(plan_.repeated, node.stage)) {
                Timestamp begin;
                in(begin);
                require(begin <= pool_[id].entry.time, "a burst begins after it ends");
                begins_.emplace(key(node), begin);
            }
            reach(id, node.stage, node.link);
        });
    }
    in(capped_);
}

}  // namespace catenary::engine
