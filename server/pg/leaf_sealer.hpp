#pragma once

#include "server/pg/dsn.hpp"
#include "server/rounds.hpp"

#include <pqxx/connection>

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>

namespace catenary::server::pg {

struct LeafSealerOptions {
    std::string dsn;                  ///< acts as catenary_ingest
    std::chrono::seconds round{60};   ///< between looks
    std::chrono::seconds quiet{600};  ///< a leaf that did not grow for so long is sealed; writers of it wait meanwhile
};

/// Indexes leaves that are over for reading (migrations/0005_reading.sql), one after the other, in a thread of its own. Several processes on one
/// database may run one each: only one of them seals at a time.
class LeafSealer {
public:
    explicit LeafSealer(LeafSealerOptions options);
    LeafSealer(const LeafSealer&) = delete;
    LeafSealer& operator=(const LeafSealer&) = delete;

    void start() {
        rounds_.start(options_.round, [this] { run_once(); });
    }
    /// A leaf that is being sealed is left to the next start: a large one takes longer than a stop may. Idempotent.
    void stop();

    /// Seals what is due; how many leaves. A failure is logged and left to the next round.
    std::int64_t run_once();

private:
    class Shown;

    LeafSealerOptions options_;
    std::mutex mutex_;  // guards `sealing_`
    pqxx::connection* sealing_ = nullptr;
    Rounds rounds_;
};

}  // namespace catenary::server::pg
