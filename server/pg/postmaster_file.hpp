#pragma once

#include <sys/types.h>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace catenary::server::pg {

/// What a postmaster says about itself in its data folder's postmaster.pid.
struct PostmasterFile {
    pid_t pid = 0;
    std::string data_folder;
    std::int64_t shared_memory = -1;  ///< id of its System V segment, which every back-end stays attached to; -1: not written yet
};
/// Empty when there is no such file, or one cut short before the process id.
std::optional<PostmasterFile> read_postmaster_file(const std::filesystem::path& cluster);

/// Whether that process lives and is the postmaster of this folder, by its command line: process ids are used again.
bool is_postmaster_of(pid_t pid, const std::filesystem::path& cluster);

/// Processes attached to a System V segment (a postmaster's back-ends, after it has gone); 0 when there is no such segment.
std::int64_t attached_to(std::int64_t shared_memory);

}  // namespace catenary::server::pg
