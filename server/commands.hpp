#pragma once

#include "server/config/command_line.hpp"

namespace catenary::server {

/// Carries out what the command line asked for. Returns the exit code: 0 done, 1 failed and said why on standard error; `replay` has its own.
int run(const config::Invocation& invocation);

}  // namespace catenary::server
