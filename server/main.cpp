#include "server/commands.hpp"
#include "server/config/command_line.hpp"

#include <cstdio>
#include <string>
#include <variant>
#include <vector>

int main(int count, char** words) {
    using namespace catenary::server;
    const auto read = config::read_command_line(std::vector<std::string>{words + 1, words + count}, config::process_environment());
    if (const auto* message = std::get_if<config::Message>(&read)) {
        std::fputs(message->text.c_str(), message->exit_code == 0 ? stdout : stderr);
        return message->exit_code;
    }
    return run(std::get<config::Invocation>(read));
}
