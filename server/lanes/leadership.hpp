#pragma once

#include "engine/model/ids.hpp"

#include <cstdint>
#include <map>
#include <string>

namespace catenary::server {

/// Who of several processes on one database leads the lanes. A lock of the leader's session decides; the leader's beat tells a process that stands
/// still from one that works. Neither protects results: lane.epoch does. One thread; throws PqError.
class Leadership {
public:
    virtual ~Leadership() = default;

    /// Takes the lock if nobody has it. True while this session has it.
    [[nodiscard]] virtual bool acquire() = 0;
    /// Says that the leader lives; writes seldom enough to be called after every piece of work.
    virtual void beat() = 0;
    /// Ends the session of a leader that has not beaten for long, so that the lock becomes free. True when there was one.
    virtual bool end_silent_leader() = 0;

    /// Who wrote lane.owner last.
    virtual std::string owner() = 0;

    struct Followed {
        engine::Position to;                            ///< every entry before it is part of the leader's committed results
        std::map<std::int16_t, engine::Position> done;  ///< of each lane
    };
    virtual Followed followed() = 0;
};

}  // namespace catenary::server
