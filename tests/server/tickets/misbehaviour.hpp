#pragma once

#include "tests/server/tickets/fake_system.hpp"
#include "tests/server/tickets/ticket_rig.hpp"

#include <functional>
#include <string>
#include <vector>

namespace catenary::tests {

/// One row of a kind's table: what the ticket system does to an incident's ticket while it is made and while it is changed, and what must come of it all the
/// same: one ticket, one note of the change.
struct Misbehaviour {
    std::string name;
    std::function<void(FakeSystem&)> while_made = [](FakeSystem&) {};
    std::function<void(FakeSystem&)> while_changed = [](FakeSystem&) {};
    std::string detail = "";  ///< what the ticket says in the end; "": nothing
    std::string state = "done";
    int tickets = 1;
    int notes = 1;
};

/// What every system that answers over a network does.
std::vector<Misbehaviour> usual_misbehaviours();

/// Each row with an incident of its own, one after the other. Whatever waits for its back-off is due at once.
void check_misbehaviours(FakeSystem& fake, const std::vector<Misbehaviour>& rows);

/// Closing and opening in both directions within a poll or two, and then nothing moves any more.
void check_both_ways(FakeSystem& fake);

/// A hook of a kind that can be asked leads to a look at the ticket, long before the next poll.
void check_hooks(FakeSystem& fake);

/// A ticket that was deleted is gone, and is made anew only when asked for.
void check_gone(FakeSystem& fake);

}  // namespace catenary::tests
