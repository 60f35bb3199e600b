#pragma once

#include "api/adapters/neutral.hpp"

namespace catenary::api::adapters {

/// Adds whoever an ECS event speaks of: users, hosts, both ends of a connection, processes, files, addresses on the web and in mail, cloud resources.
void read_ecs_entities(NeutralSignal& signal, const Node& root);

}  // namespace catenary::api::adapters
