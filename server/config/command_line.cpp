#include "server/config/command_line.hpp"

#include "server/config/settings_file.hpp"

#include <fmt/format.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <optional>
#include <sstream>
#include <string_view>
#include <utility>

namespace catenary::server::config {
namespace {

struct CommandRow {
    Command command;
    const char* name;
    const char* help;
};
constexpr std::array<CommandRow, 6> commands{{{Command::serve, "serve", "Take signals, correlate them, answer the API"},
                                              {Command::replay, "replay", "Post files of recorded signals to a running server"},
                                              {Command::demo, "demo", "Serve, and show the built-in story"},
                                              {Command::migrate, "migrate", "Bring a database that somebody else runs up to date"},
                                              {Command::patterns, "patterns", "Check pattern documents, or run their examples"},
                                              {Command::version, "version", "Print the version"}}};

struct TaskRow {
    PatternFiles::Task task;
    const char* name;
    const char* help;
};
constexpr std::array<TaskRow, 2> pattern_tasks{{{PatternFiles::Task::check, "check", "Say every fault with its line, or that there is none"},
                                                {PatternFiles::Task::test, "test", "Also run the stories of `examples` through the engine"}}};

constexpr const char* patterns_files =
    "FILE.yaml or FILE.json, a pattern document each; a folder: every .yaml, .yml and .json file below it; -: standard input";
constexpr const char* patterns_footer =
    "Needs no server. The first line of a fault or of an example names file and line; a failed example says which stage failed and by what, or what was\n"
    "found all the same. Exit code: 0 all is in order, 1 a document has faults or an example failed, 2 something could not be read or the command is wrong.";

/// Names that other parts read by themselves: the private PostgreSQL's user, and what the tests of this repository use.
bool is_read_elsewhere(std::string_view name) {
    constexpr std::array<std::string_view, 4> names{"CATENARY_POSTGRES_USER", "CATENARY_PROGRAM", "CATENARY_SHARED", "CATENARY_SOURCE"};
    return std::find(names.begin(), names.end(), name) != names.end() || name.starts_with("CATENARY_TEST_") || name.starts_with("CATENARY_BENCH_");
}

bool is_setting(std::string_view name) {
    const auto table = setting_table();
    return std::any_of(table.begin(), table.end(), [&](const Setting& setting) { return setting.environment == name; });
}

/// The table as CLI11 options of one command; what was given, by flag.
class Options {
public:
    Options(CLI::App& app, const CommandRow& row) : app_{app}, row_{row} {
        app.allow_extras();  // collected with the other faults
        for (const auto& setting : setting_table()) {
            if ((setting.commands & bit(row.command)) == 0) continue;
            const std::string flag{setting.flag};
            const auto help = describe(setting);
            auto* option = setting.kind == Setting::Kind::mark ? app.add_flag(flag, help) : app.add_option(flag, help);
            options_.emplace_back(&setting, option);
        }
        if (row.command == Command::replay) files_ = add_files(app, "FILE.ndjson or FILE.ndjson.gz, each sorted by time; merged by time");
        if (row.command != Command::patterns) return;
        app.require_subcommand(1);
        for (const auto& task : pattern_tasks) {
            auto& sub = *app.add_subcommand(task.name, task.help);
            sub.allow_extras();
            sub.footer(patterns_footer);
            tasks_.push_back({task.task, &sub, add_files(sub, patterns_files)});
        }
    }

    const CommandRow& row() const { return row_; }
    const CLI::App& app() const { return app_; }

    std::vector<std::string> fill(const Environment& environment, Settings& settings) const {
        auto file = file_named(environment);
        std::vector<std::string> faults = std::move(file.faults);
        for (const auto& [setting, option] : options_) {
            auto value = given(*setting, *option, environment);
            std::string where;
            const auto in_file = file.values.find(file_key(setting->flag));
            if (!value && in_file != file.values.end()) {
                value = in_file->second.text;
                where = in_file->second.where + ": ";
            }
            if (!value && !setting->standard.empty()) value = std::string{setting->standard};
            if (!value) continue;
            if (const auto fault = apply(*setting, *value, settings)) faults.push_back(where + *fault);
        }
        for (const auto& extra : app_.remaining(true)) faults.push_back(fmt::format("{}: unknown; see `catenary {} --help`", extra, row_.name));
        if (files_ != nullptr) settings.replay.files = results_of(*files_);
        for (const auto& task : tasks_) {
            if (task.app->parsed()) settings.patterns = {task.task, results_of(*task.files)};
        }
        return faults;
    }

private:
    /// By flag, else by the environment.
    static std::optional<std::string> given(const Setting& setting, const CLI::Option& option, const Environment& environment) {
        if (option.count() > 0) return setting.kind == Setting::Kind::mark ? "yes" : option.results().back();
        const auto named = environment.find(std::string{setting.environment});
        if (named != environment.end()) return named->second;
        return std::nullopt;
    }
    SettingsFile file_named(const Environment& environment) const {
        for (const auto& [setting, option] : options_) {
            if (setting->flag != config_flag) continue;
            const auto path = given(*setting, *option, environment);
            if (path && !path->empty()) return read_settings_file(*path);
        }
        return {};
    }
    struct Task {
        PatternFiles::Task task;
        const CLI::App* app;
        CLI::Option* files;
    };
    static CLI::Option* add_files(CLI::App& app, const std::string& help) {
        return app.add_option("FILE", help)->expected(1)->allow_extra_args()->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    }
    static std::vector<std::string> results_of(const CLI::Option& option) { return option.count() > 0 ? option.results() : std::vector<std::string>{}; }

    CLI::App& app_;
    const CommandRow& row_;
    std::vector<std::pair<const Setting*, CLI::Option*>> options_;
    CLI::Option* files_ = nullptr;  // of replay
    std::vector<Task> tasks_;       // of patterns
};

/// What no single row can say.
void complete(Command command, Settings& settings, std::vector<std::string>& faults) {
    if (settings.data_dir.empty()) settings.data_dir = default_data_dir();
    if (settings.replay.key_file.empty()) settings.replay.key_file = (settings.data_dir / "admin.key").string();
    if (command == Command::replay && settings.replay.files.empty()) faults.emplace_back("replay: name at least one FILE");
    if (command == Command::patterns && settings.patterns.files.empty()) faults.emplace_back("patterns: name at least one FILE, folder or -");
    if (command == Command::migrate && !settings.database) faults.emplace_back("migrate: --database says which database");
}

}  // namespace

Environment process_environment() {
    Environment environment;
    for (char** entry = ::environ; *entry != nullptr; ++entry) {
        const std::string_view text{*entry};
        const auto equals = text.find('=');
        if (equals != std::string_view::npos) environment.emplace(text.substr(0, equals), text.substr(equals + 1));
    }
    return environment;
}

std::variant<Invocation, Message> read_command_line(const std::vector<std::string>& arguments, const Environment& environment) {
    CLI::App app{"Catenary correlates security signals into incidents.", "catenary"};
    app.require_subcommand(1);
    std::vector<Options> all;
    all.reserve(commands.size());
    for (const auto& row : commands) all.emplace_back(*app.add_subcommand(row.name, row.help), row);
    try {
        app.parse(std::vector<std::string>{arguments.rbegin(), arguments.rend()});  // CLI11 takes them from the back
    } catch (const CLI::ParseError& stop) {
        std::ostringstream out;
        std::ostringstream err;
        const bool asked = app.exit(stop, out, err) == 0;
        return Message{asked ? 0 : 2, out.str() + err.str()};
    }
    Invocation invocation;
    std::vector<std::string> faults;
    for (const auto& options : all) {
        if (!options.app().parsed()) continue;
        invocation.command = options.row().command;
        faults = options.fill(environment, invocation.settings);
    }
    for (const auto& [name, value] : environment) {
        if (name.starts_with("CATENARY_") && !is_setting(name) && !is_read_elsewhere(name)) faults.push_back(name + ": nothing reads this setting");
    }
    complete(invocation.command, invocation.settings, faults);
    if (faults.empty()) return invocation;
    std::string text;
    for (const auto& fault : faults) text += "catenary: " + fault + "\n";
    return Message{2, std::move(text)};
}

}  // namespace catenary::server::config
