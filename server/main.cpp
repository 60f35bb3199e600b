#include "engine/model/text_hash.hpp"
#include "server/commands.hpp"
#include "server/config/command_line.hpp"

#include <sodium.h>

#include <cstdint>
#include <cstdio>
#include <string>
#include <variant>
#include <vector>

int main(int count, char** words) {
    using namespace catenary::server;
    std::uint64_t hash_key = 0;
    randombytes_buf(&hash_key, sizeof hash_key);
    catenary::engine::TextHash::set_key(hash_key);
    const auto read = config::read_command_line(std::vector<std::string>{words + 1, words + count}, config::process_environment());
    if (const auto* message = std::get_if<config::Message>(&read)) {
        std::fputs(message->text.c_str(), message->exit_code == 0 ? stdout : stderr);
        return message->exit_code;
    }
    return run(std::get<config::Invocation>(read));
}
