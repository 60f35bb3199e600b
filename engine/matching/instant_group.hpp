#pragma once

#include "engine/matching/stage_plan.hpp"

#include <cstdint>
#include <vector>

namespace catenary::engine {

/// The signals of one instant as the stages see them: signals that satisfy the same stages are interchangeable, so a class of them and its size say
/// all. Answers which stages can be served by distinct signals (a system of distinct representatives; Hall's condition).
class InstantGroup {
public:
    struct Class {
        StageMask mask;       ///< as given to `add`
        std::uint32_t count;  ///< at most as many as the class could ever serve at once: its number of stages
        std::uint32_t entry;  ///< where its first signal is
        template <class Archive, class Self>
        static void fields(Archive& archive, Self& self) {
            archive(self.mask, self.count, self.entry);
        }
    };

    /// Counts one signal into `classes`; returns whether that can change any answer.
    static bool add(std::vector<Class>& classes, StageMask mask, std::size_t entry);

    /// Takes the classes of an instant; only the stages of `available` count. Classes with `ignored` bits set serve nothing.
    void assign(const std::vector<Class>& classes, StageMask available, StageMask ignored);

    /// Whether distinct signals can serve all of `stages`.
    bool can_serve(StageMask stages) const;
    /// Whether distinct signals can serve all of `stages` with a signal of class `mask` serving `stage`, one of them.
    bool can_serve(StageMask stages, StageIndex stage, StageMask mask) const;

private:
    StageMask effective(StageMask mask) const { return (mask & ignored_) != 0 ? StageMask{0} : static_cast<StageMask>(mask & available_); }

    StageMask available_ = 0;
    StageMask ignored_ = 0;
    StageMask present_ = 0;
    bool overlapping_ = false;         // some signal satisfies two available stages
    std::vector<std::uint32_t> hits_;  // by set of stages: signals that satisfy one of them; only when overlapping
};

}  // namespace catenary::engine
