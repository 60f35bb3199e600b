#pragma once

#include "engine/matching/chunks.hpp"
#include "engine/matching/tail_store.hpp"
#include "engine/model/ids.hpp"
#include "engine/model/signal.hpp"
#include "engine/snapshot/snapshot_fwd.hpp"

#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace catenary::engine {

/// A signal kept in one tenant's window; a slot number, stable until the slot is released, then reused. Never persisted.
using SignalHandle = StrongId<struct SignalHandleTag, std::uint32_t>;

/// An entity a signal may link by: identifying, and not one of more entities of its kind than the unlinkable limit.
struct LinkEntity {
    EntityId entity;
    Symbol kind;
    template <class Archive, class Self>
    static void fields(Archive& archive, Self& self) {
        archive(self.entity, self.kind);
    }
    friend auto operator<=>(const LinkEntity&, const LinkEntity&) = default;
};

/// What repeats from signal to signal: the number that its adder gave to a source, domain and name.
using Origin = StrongId<struct OriginTag, std::uint32_t>;

/// What matching, scoring and grouping keep of one signal, beside what its origin says.
struct WindowSignal {
    Timestamp time;
    Origin origin;
    float confidence;
    std::uint32_t count;                                       ///< no more than `most_counted`
    std::uint8_t phases;                                       ///< bit p set: a tactic of phase p (scoring/score.hpp)
    bool late;                                                 ///< behind the watermark at its position
    std::uint8_t links;                                        ///< how many
    static constexpr std::int64_t most_counted = 0xFFFF'FFFF;  // far beyond what a stage may ask for
};

/// The signals of one tenant that some pattern's stage wants, for as long as the horizon or a live finding needs them.
/// Only signals that satisfy a stage enter; handles are compared with `before`.
class SignalWindow {
public:
    /// A signal names at most so many entities.
    static constexpr std::size_t most_links = 255;

    /// `source` must be the symbol of `signal.source`. As long as signals of an origin are held, it stands for the same source, domain and name; numbers
    /// are small. At most `most_links` links.
    SignalHandle add(const SignalView& signal, bool late, Origin origin, Symbol source, Symbol domain, Symbol name, std::span<const LinkEntity> links);
    /// The handle is void afterwards, and so are all views taken of any signal.
    void release(SignalHandle handle);

    const WindowSignal& operator[](SignalHandle handle) const { return slots_[handle.value()].facts; }
    std::string_view id(SignalHandle handle) const;
    std::string_view source(SignalHandle handle) const { return *origin(handle).text; }
    Symbol domain(SignalHandle handle) const { return origin(handle).domain; }
    Symbol name(SignalHandle handle) const { return origin(handle).name; }
    std::span<const LinkEntity> links(SignalHandle handle) const;
    SignalRef ref(SignalHandle handle) const;
    /// The canonical order of signals: (time, source, id). Total, since (source, id) is unique in a tenant.
    bool before(SignalHandle left, SignalHandle right) const;
    std::size_t size() const { return slots_.size() - free_.size(); }
    /// One held signal, without its origin: the caller knows it.
    void save_signal(SignalHandle handle, SnapshotWriter& out) const;
    void load_signal(SignalHandle handle, Origin origin, Symbol source, Symbol domain, Symbol name, std::string_view source_text, SnapshotReader& in);
    /// The places, of which `used` are taken by signals that are loaded one by one.
    void save_places(SnapshotWriter& out) const;
    void load_places(const std::vector<bool>& used, SnapshotReader& in);
    /// Bytes held, the allocator's own rounding left out.
    std::size_t bytes() const;

private:
    struct Slot {
        WindowSignal facts{};
        TailStore::Place tail;  // the links, then the characters of the id; nowhere: a free place
    };
    struct OriginFacts {
        Symbol source;
        Symbol domain;
        Symbol name;
        std::unique_ptr<const std::string> text;  // of the source; stays put when the vector grows, so that views of it hold
        std::size_t signals = 0;
    };
    void fill(SignalHandle handle, std::string_view id, std::span<const LinkEntity> links);
    void count_origin(Origin origin, Symbol source, Symbol domain, Symbol name, std::string_view text);
    const OriginFacts& origin(SignalHandle handle) const { return origins_[slots_[handle.value()].facts.origin.value()]; }

    Chunks<Slot> slots_;
    std::vector<std::uint32_t> free_;
    TailStore tails_;
    std::vector<OriginFacts> origins_;
};

}  // namespace catenary::engine
