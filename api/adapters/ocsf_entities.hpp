#pragma once

#include "api/adapters/neutral.hpp"

namespace catenary::api::adapters {

/// Adds whoever an OCSF event speaks of: its actor, device, endpoints, objects, resources, evidences and observables, in this order.
void read_ocsf_entities(NeutralSignal& signal, const Node& root);

}  // namespace catenary::api::adapters
