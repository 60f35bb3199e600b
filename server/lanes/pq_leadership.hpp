#pragma once

#include "server/ingest/pq_connection.hpp"
#include "server/lanes/leadership.hpp"

#include <chrono>

namespace catenary::server {

/// By an advisory lock of PostgreSQL.
class PqLeadership final : public Leadership {
public:
    /// `session` outlives this and is used for nothing that takes longer than `silence` without a beat in between.
    PqLeadership(PqConnection& session, std::chrono::milliseconds silence) : session_{session}, silence_{silence} {}

    [[nodiscard]] bool acquire() override;
    /// Writes at most once a quarter of `silence`.
    void beat() override;
    bool end_silent_leader() override;
    std::string owner() override;
    Followed followed() override;

private:
    PqConnection& session_;
    const std::chrono::milliseconds silence_;
    bool held_ = false;
    std::chrono::steady_clock::time_point next_beat_{};
};

}  // namespace catenary::server
