#include "server/pg/os_user.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace catenary::server::pg {
namespace {

std::optional<OsUser> from_entry(const passwd* entry) {
    if (entry == nullptr || entry->pw_uid == 0) return std::nullopt;
    OsUser user{entry->pw_name, entry->pw_uid, entry->pw_gid, {}, true};
    int count = 64;
    user.groups.resize(static_cast<std::size_t>(count));
    if (::getgrouplist(entry->pw_name, entry->pw_gid, user.groups.data(), &count) < 0) {
        user.groups.resize(static_cast<std::size_t>(count));
        if (::getgrouplist(entry->pw_name, entry->pw_gid, user.groups.data(), &count) < 0) count = 0;
    }
    user.groups.resize(static_cast<std::size_t>(count));
    return user;
}

std::optional<OsUser> named(const char* name) { return from_entry(::getpwnam(name)); }

std::optional<OsUser> behind_sudo() {
    const char* text = std::getenv("SUDO_UID");
    if (text == nullptr) return std::nullopt;
    const std::string_view digits{text};
    uid_t uid = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), uid);
    if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
    return from_entry(::getpwuid(uid));
}

}  // namespace

Started<OsUser> postgres_os_user() {
    if (::geteuid() != 0) {
        const passwd* entry = ::getpwuid(::geteuid());
        return OsUser{entry != nullptr ? entry->pw_name : fmt::format("{}", ::geteuid()), ::geteuid(), ::getegid(), {}, false};
    }
    if (const char* wanted = std::getenv("CATENARY_POSTGRES_USER"); wanted != nullptr && *wanted != '\0') {
        if (auto user = named(wanted)) return *std::move(user);
        return StartFailure{fmt::format("CATENARY_POSTGRES_USER={}: no such user, or root, as which PostgreSQL refuses to run", wanted)};
    }
    if (auto user = behind_sudo()) return *std::move(user);
    for (const char* name : {"postgres", "nobody"}) {
        if (auto user = named(name)) return *std::move(user);
    }
    return StartFailure{"PostgreSQL refuses to run as root and there is neither a user `postgres` nor `nobody`: set CATENARY_POSTGRES_USER"};
}

Started<std::optional<std::filesystem::path>> first_closed_folder(const OsUser& user, const std::filesystem::path& path) {
    std::vector<std::filesystem::path> folders;
    for (auto folder = path; folder != folder.root_path(); folder = folder.parent_path()) folders.insert(folders.begin(), folder);
    if (folders.size() > 200) return StartFailure{fmt::format("{} lies too deep", path.string())};  // the answer is an exit code
    if (!user.is_other) {
        for (const auto& folder : folders) {
            if (::access(folder.c_str(), X_OK) != 0) return std::optional{folder};
        }
        return std::optional<std::filesystem::path>{};
    }
    std::vector<const char*> names;
    for (const auto& folder : folders) names.push_back(folder.c_str());
    const pid_t child = ::fork();
    if (child < 0) return StartFailure{fmt::format("cannot start a process: {}", std::strerror(errno))};
    if (child == 0) {  // async-signal-safe calls only, as in spawn()
        if (::syscall(SYS_setgroups, user.groups.size(), user.groups.data()) != 0 || ::syscall(SYS_setgid, user.gid) != 0 ||
            ::syscall(SYS_setuid, user.uid) != 0) {
            ::_exit(255);
        }
        for (std::size_t i = 0; i < names.size(); ++i) {
            if (::access(names[i], X_OK) != 0) ::_exit(static_cast<int>(i) + 1);
        }
        ::_exit(0);
    }
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) == 255) return StartFailure{fmt::format("cannot become user {}", user.name)};
    const auto closed = static_cast<std::size_t>(WEXITSTATUS(status));
    return closed == 0 ? std::optional<std::filesystem::path>{} : std::optional{folders[closed - 1]};
}

Started<bool> make_private_folder(const OsUser& user, const std::filesystem::path& path) {
    if (::mkdir(path.c_str(), 0700) == 0) {
        if (user.is_other && ::chown(path.c_str(), user.uid, user.gid) != 0) {
            return StartFailure{fmt::format("cannot give {} to user {}: {}", path.string(), user.name, std::strerror(errno))};
        }
        return true;
    }
    if (errno != EEXIST) return StartFailure{fmt::format("cannot make the folder {}: {}", path.string(), std::strerror(errno))};
    struct stat found {};
    if (::lstat(path.c_str(), &found) != 0) return StartFailure{fmt::format("cannot look at {}: {}", path.string(), std::strerror(errno))};
    if (!S_ISDIR(found.st_mode)) return StartFailure{fmt::format("{} is in the way: not a folder", path.string())};
    if (found.st_uid != user.uid) {
        return StartFailure{
            fmt::format("{} belongs to user id {}, but PostgreSQL would run as {} (id {}): start as the user who made it, "
                        "or give the folder to {} (chown -R)",
                        path.string(), found.st_uid, user.name, user.uid, user.name)};
    }
    if ((found.st_mode & 077) != 0 && ::chmod(path.c_str(), 0700) != 0) {
        return StartFailure{fmt::format("{} is open to others and cannot be closed: {}", path.string(), std::strerror(errno))};
    }
    return false;
}

}  // namespace catenary::server::pg
