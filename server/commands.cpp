#include "server/commands.hpp"

#include "api/tickets/target_url.hpp"
#include "server/admin_key.hpp"
#include "server/application.hpp"
#include "server/catalogue/pattern_files.hpp"
#include "server/demo/demo.hpp"
#include "server/observe/json_line.hpp"
#include "server/pg/migrator.hpp"
#include "server/replay/api_client.hpp"
#include "server/replay/replay.hpp"
#include "server/stop_signal.hpp"

#include <fmt/format.h>
#include <malloc.h>
#include <sys/resource.h>

#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace catenary::server {
namespace {

/// Every connection is a descriptor; the usual soft limit of 1,024 is below what the server is set to take.
void raise_descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

/// Bodies of hundreds of kilobytes come and go a hundred times a second. glibc would map and unmap each; keeping them spares the page faults, which cost
/// half of what a request of 500 KB costs between socket and parser.
void keep_freed_memory() {
    constexpr int megabyte = 1024 * 1024;
    ::mallopt(M_MMAP_THRESHOLD, 32 * megabyte);  // the largest that glibc takes
    ::mallopt(M_TRIM_THRESHOLD, 128 * megabyte);
}

void announce(const Application& application) {
    if (application.new_admin_key()) {
        fmt::print("operator key, shown once and kept in {}:\n  {}\n", (application.data_dir() / "admin.key").string(), *application.new_admin_key());
    }
    fmt::print("listening on {}\n", application.url());
    std::fflush(stdout);
}

int serve(const config::Settings& settings) {
    StopSignal stop;
    raise_descriptor_limit();
    keep_freed_memory();
    const observe::Log log{settings.log_level};
    Application application{settings, log};
    application.start();
    announce(application);
    stop.wait();
    application.stop();
    return 0;
}

/// Where the demo's tickets go: to its own receiver, else to the one that was named, under the secret of the demo before or a new one.
DemoOptions demo_options(const config::Settings& settings, const DemoReceiver* receiver, const std::filesystem::path& folder) {
    DemoOptions options;
    options.receiver = receiver;
    if (receiver != nullptr) {
        options.webhook = receiver->url();
        options.signing = receiver->secret();
        return options;
    }
    options.webhook = settings.demo_webhook;
    options.signing_file = (folder / "demo-webhook.secret").string();
    std::ifstream kept{options.signing_file};
    if (!std::getline(kept, options.signing) || !api::tickets::is_signing_secret(options.signing)) options.signing = new_signing_secret();
    return options;
}

/// The story told to the server of this process. Asks for a stop when it could not be told.
int tell_story(const Application& application, DemoOptions options, StopSignal& stop) {
    try {
        options.url = application.url();
        options.admin_key = kept_admin_key(application.data_dir());
        options.key_file = (application.data_dir() / "demo.key").string();
        if (options.admin_key.empty()) throw std::runtime_error(fmt::format("there is no admin.key in {}", application.data_dir().string()));
        const int code = demo(options);
        if (code != 0) stop.request();
        return code;
    } catch (const ApiUnreachable& gone) {
        if (stop.requested()) return 0;
        fmt::print(stderr, "catenary: the demo lost its server: {}\n", gone.what);
    } catch (const std::exception& failure) {
        if (stop.requested()) return 0;
        fmt::print(stderr, "catenary: {}\n", failure.what());
    }
    stop.request();
    return 1;
}

int serve_demo(config::Settings settings) {
    StopSignal stop;
    raise_descriptor_limit();
    keep_freed_memory();
    const observe::Log log{settings.log_level};
    std::optional<DemoReceiver> receiver;
    if (settings.demo_webhook.empty()) {
        receiver.emplace();
        settings.connector_networks.push_back(DemoReceiver::network());  // and nothing else of this machine
    }
    Application application{settings, log};
    application.start();
    announce(application);
    int code = 0;
    std::thread story{[&] { code = tell_story(application, demo_options(settings, receiver ? &*receiver : nullptr, application.data_dir()), stop); }};
    stop.wait();
    application.stop();
    story.join();
    return code;
}

int pattern_files(const config::PatternFiles& asked) {
    const bool tests = asked.task == config::PatternFiles::Task::test;
    const auto report = tests ? test_pattern_files(asked.files, std::cin) : check_pattern_files(asked.files, std::cin);
    fmt::print("{}", report.text);
    return report.exit_code;
}

int migrate_database(const std::string& url) {
    const auto target = pg::Dsn::parse(url);
    if (!target) throw std::runtime_error(target.error().message);
    const auto report = pg::migrate(*target);
    if (!report) throw std::runtime_error(report.error().message);
    for (const auto& name : report->applied) fmt::print("applied {}\n", name);
    fmt::print("the database is at version {}\n", report->version);
    return 0;
}

}  // namespace

int run(const config::Invocation& invocation) {
    observe::adopt_default_logger(invocation.settings.log_level);
    try {
        switch (invocation.command) {
            case config::Command::serve: return serve(invocation.settings);
            case config::Command::demo: return serve_demo(invocation.settings);
            case config::Command::replay: return replay(invocation.settings.replay);
            case config::Command::migrate: return migrate_database(*invocation.settings.database);
            case config::Command::patterns: return pattern_files(invocation.settings.patterns);
            case config::Command::version: fmt::print("catenary {}\n", CATENARY_VERSION); return 0;
        }
    } catch (const std::exception& failure) {
        fmt::print(stderr, "catenary: {}\n", failure.what());
    }
    return 1;
}

}  // namespace catenary::server
