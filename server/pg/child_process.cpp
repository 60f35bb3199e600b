#include "server/pg/child_process.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>

namespace catenary::server::pg {
namespace {

struct ChildPlan {
    const char* program;
    char* const* arguments;
    char* const* environment;
    int output;
    int null_input;
    int failure;  // write end of the pipe that reports why exec did not happen
    Bond bond;
    pid_t parent;
    const OsUser* user;
};

// Between fork and exec of a process with threads only async-signal-safe calls are allowed: no allocation, no locks. Raw system calls for the
// identity, since glibc's wrappers first tell other threads.
[[noreturn]] void become(const ChildPlan& plan) {
    const auto fail = [&] {
        const int error = errno;
        [[maybe_unused]] const auto written = ::write(plan.failure, &error, sizeof error);
        ::_exit(127);
    };
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    for (int signal = 1; signal < 32; ++signal) {
        if (signal != SIGKILL && signal != SIGSTOP) ::signal(signal, SIG_DFL);
    }
    ::setsid();
    if (::dup2(plan.null_input, 0) < 0 || ::dup2(plan.output, 1) < 0 || ::dup2(plan.output, 2) < 0) fail();
    if (::syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC) != 0) {
        for (int descriptor = 3; descriptor < 4096; ++descriptor) ::fcntl(descriptor, F_SETFD, FD_CLOEXEC);  // kernels before 5.11
    }
    if (plan.user->is_other) {
        if (::syscall(SYS_setgroups, plan.user->groups.size(), plan.user->groups.data()) != 0) fail();
        if (::syscall(SYS_setgid, plan.user->gid) != 0) fail();
        if (::syscall(SYS_setuid, plan.user->uid) != 0) fail();
    }
    if (::chdir("/") != 0) fail();
    ::umask(077);
    if (plan.bond == Bond::interrupted_with_us) {
        ::prctl(PR_SET_PDEATHSIG, SIGINT);             // after setuid, which clears it
        if (::getppid() != plan.parent) ::_exit(127);  // we died in between
    }
    ::execve(plan.program, plan.arguments, plan.environment);
    fail();
    ::_exit(127);
}

struct Descriptor {
    int number = -1;
    explicit Descriptor(int opened) : number{opened} {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {  // closes it
        if (number >= 0) ::close(number);
    }
    void reset() {
        if (number >= 0) ::close(number);
        number = -1;
    }
};

}  // namespace

Started<pid_t> spawn(const Command& command, const OsUser& user) {
    std::string program = command.program.string();
    std::vector<std::string> words{program};
    words.insert(words.end(), command.arguments.begin(), command.arguments.end());
    std::vector<char*> arguments;
    for (auto& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    std::vector<std::string> settings{"LC_ALL=C", "TZ=UTC", "PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/"};
    std::vector<char*> environment;
    for (auto& setting : settings) environment.push_back(setting.data());
    environment.push_back(nullptr);

    std::array<int, 2> report{};
    if (::pipe2(report.data(), O_CLOEXEC) != 0) return StartFailure{fmt::format("cannot make a pipe: {}", std::strerror(errno))};
    Descriptor read_end{report[0]};
    Descriptor write_end{report[1]};
    const Descriptor null_input{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
    const ChildPlan plan{program.c_str(),  arguments.data(), environment.data(), command.output, null_input.number,
                         write_end.number, command.bond,     ::getpid(),         &user};
    const pid_t child = ::fork();
    if (child < 0) return StartFailure{fmt::format("cannot start {}: {}", program, std::strerror(errno))};
    if (child == 0) become(plan);
    write_end.reset();
    int error = 0;
    ssize_t got = 0;
    do {
        got = ::read(read_end.number, &error, sizeof error);
    } while (got < 0 && errno == EINTR);
    if (got == sizeof error) {
        ::waitpid(child, nullptr, 0);
        return StartFailure{fmt::format("cannot run {} as user {}: {}", program, user.name, std::strerror(error))};
    }
    return child;
}

Started<std::string> run(const std::filesystem::path& program, const std::vector<std::string>& arguments, const OsUser& user) {
    std::array<int, 2> output{};
    if (::pipe2(output.data(), O_CLOEXEC) != 0) return StartFailure{fmt::format("cannot make a pipe: {}", std::strerror(errno))};
    Descriptor read_end{output[0]};
    Descriptor write_end{output[1]};
    const auto child = spawn(Command{program, arguments, write_end.number}, user);
    write_end.reset();
    if (!child) return child.error();
    std::string text;
    std::array<char, 4096> buffer{};
    for (;;) {
        const auto got = ::read(read_end.number, buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        text.append(buffer.data(), static_cast<std::size_t>(got));
        if (text.size() > 65'536) text.erase(0, text.size() - 32'768);  // only the end is told
    }
    int status = 0;
    while (::waitpid(*child, &status, 0) < 0 && errno == EINTR) {
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return Started<std::string>{boost::system::in_place_value, std::move(text)};  // a failure could be made of a string too
    return StartFailure{fmt::format("{} failed (status {}): {}", program.string(), status, text)};
}

std::string tail_of(const std::filesystem::path& file, std::size_t bytes) {
    std::ifstream in{file, std::ios::binary | std::ios::ate};
    if (!in) return {};
    const auto size = static_cast<std::size_t>(in.tellg());
    const auto from = size > bytes ? size - bytes : 0;
    in.seekg(static_cast<std::streamoff>(from));
    std::string text(size - from, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (from > 0) {
        if (const auto line = text.find('\n'); line != std::string::npos) text.erase(0, line + 1);
    }
    return text;
}

}  // namespace catenary::server::pg
