#pragma once

#include "engine/matching/pattern.hpp"
#include "engine/model/ids.hpp"
#include "engine/model/time.hpp"
#include "server/backtest/interrupt.hpp"
#include "server/ingest/leaves.hpp"
#include "server/ingest/pq_connection.hpp"
#include "server/lanes/stored_row.hpp"

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace catenary::server {

/// Reads what a tenant has stored of an interval of event time, day by day in the order of time, by binary COPY. Signals that no stage can want for their definition alone
/// stay in the database. What is stored after it was made is not seen. One thread; throws PqError.
class SignalScan {
public:
    struct DayOfSignals {
        Day day;
        std::int64_t signals;  ///< all of them
    };
    enum class Late { no, yes };
    using Take = std::function<void(std::span<StoredRow>)>;

    /// `from`, `to`: inclusive. `connection` acts as catenary_lane and does nothing else while it reads.
    SignalScan(PqConnection& connection, Interrupt& interrupt, engine::TenantId tenant, engine::Timestamp from, engine::Timestamp to,
               const engine::Pattern& pattern);

    /// Days with signals, counted.
    std::vector<DayOfSignals> days();
    /// Whether any signal of the day is marked late.
    bool has_late(Day day);
    /// Passes on the signals of a day that are marked so, some thousand at a time, in the order of time; rows live during the call.
    void read(Day day, Late late, const Take& take);

private:
    std::string condition(Day first, Day end) const;
    std::string late_keys(Day day) const;

    PqConnection& connection_;
    Interrupt& interrupt_;
    engine::TenantId tenant_;
    engine::Timestamp from_, to_;
    std::string end_;          ///< position that the log ended at
    std::string definitions_;  ///< condition on `def`; "": too many are wanted to name them
};

}  // namespace catenary::server
