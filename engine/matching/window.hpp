#pragma once

#include "engine/model/ids.hpp"
#include "engine/model/signal.hpp"
#include "engine/snapshot/snapshot_fwd.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

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

/// What matching, scoring and grouping keep of one signal.
struct WindowSignal {
    Timestamp time;
    Position position;
    Symbol source;
    Symbol domain;
    Symbol name;
    float confidence;
    std::uint8_t phases;  ///< bit p set: a tactic of phase p (scoring/score.hpp)
    bool late;            ///< behind the watermark at its position
    std::int64_t count;
};

/// The signals of one tenant that some pattern's stage wants, for as long as the horizon or a live finding needs them.
/// Only signals that satisfy a stage enter; handles are compared with `before`. `source` must be the symbol of `signal.source`.
class SignalWindow {
public:
    SignalHandle add(const SignalView& signal, Position position, bool late, Symbol source, Symbol domain, Symbol name, std::span<const LinkEntity> links);
    /// The handle and the views taken from it are void afterwards.
    void release(SignalHandle handle);

    const WindowSignal& operator[](SignalHandle handle) const { return slots_[handle.value()].facts; }
    std::string_view id(SignalHandle handle) const;
    std::string_view source(SignalHandle handle) const;
    std::span<const LinkEntity> links(SignalHandle handle) const;
    SignalRef ref(SignalHandle handle) const;
    /// The canonical order of signals: (time, source, id). Total, since (source, id) is unique in a tenant.
    bool before(SignalHandle left, SignalHandle right) const;
    std::size_t size() const { return slots_.size() - free_.size(); }
    /// One held signal, without its symbols: the caller knows them.
    void save_signal(SignalHandle handle, SnapshotWriter& out) const;
    void load_signal(SignalHandle handle, Symbol source, Symbol domain, Symbol name, std::string_view source_text, SnapshotReader& in);
    /// The places, of which `used` are taken by signals that are loaded one by one.
    void save_places(SnapshotWriter& out) const;
    void load_places(const std::vector<bool>& used, SnapshotReader& in);
    /// Bytes held, the allocator's own rounding left out.
    std::size_t bytes() const;

private:
    struct Slot {
        WindowSignal facts{};
        std::unique_ptr<std::byte[]> tail;  // the links, then the characters of the id: one allocation a signal
        std::uint32_t id_length = 0;
        std::uint32_t link_count = 0;
    };
    struct SourceText {
        std::unique_ptr<const std::string> text;  // stays put when the map grows, so that views of it hold
        std::size_t signals = 0;
    };
    void fill(Slot& slot, std::string_view id, std::span<const LinkEntity> links);
    void count_source(Symbol source, std::string_view text);
    static std::size_t tail_bytes(const Slot& slot) { return slot.link_count * sizeof(LinkEntity) + slot.id_length; }

    std::vector<Slot> slots_;
    std::vector<std::uint32_t> free_;
    boost::unordered_flat_map<std::uint32_t, SourceText> sources_;  // by symbol
    std::size_t bytes_ = 0;
};

}  // namespace catenary::engine
