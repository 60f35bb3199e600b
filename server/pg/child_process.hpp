#pragma once

#include "server/pg/os_user.hpp"
#include "server/pg/start_failure.hpp"

#include <sys/types.h>
#include <filesystem>
#include <string>
#include <vector>

namespace catenary::server::pg {

/// What becomes of a child when the thread that started it ends.
enum class Bond { outlives_us, interrupted_with_us };

struct Command {
    std::filesystem::path program;       ///< absolute
    std::vector<std::string> arguments;  ///< without the program itself
    int output;                          ///< open descriptor for stdout and stderr
    Bond bond = Bond::outlives_us;       ///< interrupted_with_us: SIGINT by the kernel, however we end
};

/// Starts the command as `user`, in a session of its own (a Ctrl-C at our terminal is not for it), with C locale and UTC, without any of our descriptors.
Started<pid_t> spawn(const Command& command, const OsUser& user);

/// Runs a command to its end; fails unless it exits with 0, with the end of what it wrote.
Started<std::string> run(const std::filesystem::path& program, const std::vector<std::string>& arguments, const OsUser& user);

/// The last lines of a file, at most `bytes`; "" when it cannot be read.
std::string tail_of(const std::filesystem::path& file, std::size_t bytes = 2000);

}  // namespace catenary::server::pg
