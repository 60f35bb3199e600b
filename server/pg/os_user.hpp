#pragma once

#include "server/pg/start_failure.hpp"

#include <sys/types.h>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace catenary::server::pg {

/// The operating-system user that PostgreSQL runs as; it refuses to run as root.
struct OsUser {
    std::string name;
    uid_t uid;
    gid_t gid;
    std::vector<gid_t> groups;  ///< supplementary ones
    bool is_other;              ///< another than we are: children change to it, and files must be given to it
};

/// Ourselves, unless we are root: then the user of CATENARY_POSTGRES_USER, else the one behind sudo, else postgres, else nobody.
Started<OsUser> postgres_os_user();

/// The outermost folder on the way to `path` (itself included) that the user cannot pass through, if there is one. Asked of the kernel, as that user,
/// so access lists count too.
Started<std::optional<std::filesystem::path>> first_closed_folder(const OsUser& user, const std::filesystem::path& path);

/// Makes the folder where it is missing, owned by the user with mode 0700; fails if it is there and somebody else's, or no folder.
Started<bool> make_private_folder(const OsUser& user, const std::filesystem::path& path);

}  // namespace catenary::server::pg
