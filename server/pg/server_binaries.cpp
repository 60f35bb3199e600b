#include "server/pg/server_binaries.hpp"

#include "server/pg/child_process.hpp"

#include <fmt/format.h>

#include <unistd.h>
#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <set>
#include <sstream>
#include <string>

namespace catenary::server::pg {
namespace {

bool executable(const std::filesystem::path& file) { return ::access(file.c_str(), X_OK) == 0; }

std::set<std::filesystem::path> candidate_folders(const OsUser& user) {
    std::set<std::filesystem::path> folders{"/usr/local/pgsql/bin"};
    std::error_code error;
    for (const char* root : {"/usr/lib/postgresql", "/usr"}) {  // Debian: VERSION/bin; Red Hat: pgsql-VERSION/bin
        for (const auto& entry : std::filesystem::directory_iterator{root, error}) folders.insert(entry.path() / "bin");
    }
    std::istringstream path{std::getenv("PATH") != nullptr ? std::getenv("PATH") : ""};
    for (std::string folder; std::getline(path, folder, ':');) {
        if (folder.empty() || folder.front() != '/') continue;
        folders.insert(folder);
        const auto config = std::filesystem::path{folder} / "pg_config";
        if (!executable(config)) continue;
        if (auto said = run(config, {"--bindir"}, user)) folders.insert((*said).substr(0, (*said).find('\n')));
    }
    return folders;
}

/// "postgres (PostgreSQL) 15.4 (Debian …)" -> 15
std::optional<int> major_of(const std::filesystem::path& folder, const OsUser& user) {
    const auto said = run(folder / "postgres", {"-V"}, user);
    if (!said) return std::nullopt;
    const auto mark = (*said).find(") ");
    if (mark == std::string::npos) return std::nullopt;
    int major = 0;
    const char* from = (*said).data() + mark + 2;
    if (std::from_chars(from, (*said).data() + (*said).size(), major).ec != std::errc{}) return std::nullopt;
    return major;
}

}  // namespace

Started<ServerBinaries> find_server_binaries(const OsUser& user, std::optional<int> major) {
    std::optional<ServerBinaries> best;
    for (const auto& folder : candidate_folders(user)) {
        if (!executable(folder / "postgres") || !executable(folder / "initdb")) continue;
        const auto found = major_of(folder, user);
        if (!found || *found < oldest_major || (major && *found != *major)) continue;
        if (!best || *found > best->major) best = ServerBinaries{folder, *found};
    }
    if (best) return *best;
    if (major) return StartFailure{fmt::format("the data folder was made by PostgreSQL {0}, whose server is not installed: install postgresql-{0}", *major)};
    return StartFailure{fmt::format("no PostgreSQL server {} or newer is installed: install postgresql-15, or give a database with --database", oldest_major)};
}

}  // namespace catenary::server::pg
