#pragma once

#include "engine/lane/control.hpp"

#include <optional>

namespace catenary::engine {

/// Event time as one tenant's entries tell it: newest event, watermark, horizon.
class TenantClock {
public:
    /// Whether a signal of this time is behind the watermark: strictly older.
    bool is_late(Timestamp time) const { return watermark_ && time < *watermark_; }
    bool is_behind_horizon(Timestamp time) const { return horizon_ && time < *horizon_; }

    /// A signal came. A bad clock cannot move time further than its admission.
    void saw(Timestamp time, Timestamp admitted);
    /// A live tenant's minute passed; nothing before the first signal.
    void tick(Timestamp admitted);
    void call(const WatermarkCall& call);
    void set_lateness(Duration lateness);
    /// Largest `within` of what is in production; the horizon lies a day further back than that before the watermark, at most 16 days in all.
    void set_reach(Duration longest_within);

    std::optional<Timestamp> watermark() const { return watermark_; }
    std::optional<Timestamp> newest() const { return newest_; }
    /// Never moves back: what was forgotten is not matched half.
    std::optional<Timestamp> horizon() const { return horizon_; }
    /// Brings it forward, no further than to the watermark.
    void raise_horizon(Timestamp horizon) {
        if (watermark_) horizon_ = std::max(horizon_.value_or(horizon), std::min(horizon, *watermark_));
    }
    Duration horizon_length() const { return length_; }
    bool held() const { return held_; }
    /// Admission of the newest tick, if there was one.
    std::optional<Timestamp> ticked() const { return ticked_; }
    Duration lateness() const { return lateness_; }
    template <class Archive, class Self>
    static void fields(Archive& archive, Self& self) {
        archive(self.newest_, self.reached_, self.watermark_, self.horizon_, self.lateness_, self.length_, self.held_, self.ticked_);
    }

private:
    void advance();
    void move_to(Timestamp watermark);

    std::optional<Timestamp> newest_;
    std::optional<Timestamp> reached_;  ///< newest of min(event time, admission) and of ticks
    std::optional<Timestamp> watermark_;
    std::optional<Timestamp> horizon_;
    Duration lateness_ = std::chrono::hours{1};
    Duration length_ = std::chrono::hours{24};
    bool held_ = false;
    std::optional<Timestamp> ticked_;
};

}  // namespace catenary::engine
