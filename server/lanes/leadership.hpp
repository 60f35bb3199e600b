#pragma once

#include "engine/model/ids.hpp"
#include "server/ingest/pq_connection.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <string>

namespace catenary::server {

/// Who of several processes on one database leads the lanes. An advisory lock of the leader's session decides; the leader's beat tells a process that stands
/// still from one that works. Neither protects results: lane.epoch does. One thread; throws PqError.
class Leadership {
public:
    /// `session` outlives this and is used for nothing that takes longer than `silence` without a beat in between.
    Leadership(PqConnection& session, std::chrono::milliseconds silence) : session_{session}, silence_{silence} {}

    /// Takes the lock if nobody has it. True while this session has it.
    [[nodiscard]] bool acquire();
    /// Says that the leader lives; writes at most once a quarter of `silence`.
    void beat();
    /// Ends the session of a leader that has not beaten for `silence`, so that the lock becomes free. True when there was one.
    bool end_silent_leader();

    /// Who wrote lane.owner last.
    std::string owner();

    struct Followed {
        engine::Position to;                            ///< every entry before it is part of the leader's committed results
        std::map<std::int16_t, engine::Position> done;  ///< of each lane
    };
    Followed followed();

private:
    PqConnection& session_;
    const std::chrono::milliseconds silence_;
    bool held_ = false;
    std::chrono::steady_clock::time_point next_beat_{};
};

}  // namespace catenary::server
