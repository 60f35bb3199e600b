#pragma once

#include "server/config/settings.hpp"

#include <map>
#include <string>
#include <variant>
#include <vector>

namespace catenary::server::config {

/// The process environment, or a test's.
using Environment = std::map<std::string, std::string>;
Environment process_environment();

struct Invocation {
    Command command = Command::serve;
    Settings settings;
};
/// To be printed instead of doing anything.
struct Message {
    int exit_code;     ///< 0: help that was asked for; 2: something is wrong with the arguments
    std::string text;  ///< with every fault at once, one a line
};

/// A flag wins over the environment, the environment over the settings file, that over the default. Unknown flags, CATENARY_ names that nothing reads, and
/// keys of the file that are no setting are faults.
std::variant<Invocation, Message> read_command_line(const std::vector<std::string>& arguments, const Environment& environment);

}  // namespace catenary::server::config
