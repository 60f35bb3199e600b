#pragma once

#include "engine/model/time.hpp"
#include "server/tickets/ticket_system.hpp"

#include <string>
#include <vector>

namespace catenary::server::tickets {

/// A note with when it was written, as its system says.
struct TimedNote {
    RemoteNote note;
    engine::Timestamp time;
};

/// How far the notes of a ticket were taken, where ids do not grow with time and a note may show later than ones that were written after it. A cursor
/// is "<time> <id> <id> ...": all before that time were taken, and of those since then the ones with these ids. So one that shows late is still taken for as
/// long as `poll_overlap`, and none is taken twice. A cursor names 32 notes, or 128 of one moment: where more come in that time, it begins behind the others.
class NoteCursor {
public:
    /// "" and what is no cursor: nothing was taken yet.
    explicit NoteCursor(const std::string& text);

    /// Notes from then on must be read.
    engine::Timestamp from() const { return from_; }
    /// Those of the notes that were not taken yet, oldest first; each with the cursor behind it as its id.
    std::vector<RemoteNote> rest_of(std::vector<TimedNote> notes) const;

private:
    bool has(const TimedNote& note) const;

    engine::Timestamp from_{};
    std::vector<std::string> taken_;
};

}  // namespace catenary::server::tickets
