#pragma once

#include "api/ingest/prepared.hpp"
#include "engine/model/ip_address.hpp"
#include "server/net/limits.hpp"
#include "server/observe/log.hpp"
#include "server/replay/replay.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace catenary::server::config {

/// What `catenary` was asked to do.
enum class Command : unsigned {
    serve = 1,
    demo = 2,  ///< serve, and post the built-in story
    replay = 4,
    migrate = 8,
    version = 16,
    patterns = 32,
};
constexpr unsigned bit(Command command) { return static_cast<unsigned>(command); }

/// Names the file that other settings may stand in.
constexpr std::string_view config_flag = "--config";
/// What `catenary patterns` does with its files.
struct PatternFiles {
    enum class Task { check, test };
    Task task = Task::check;
    std::vector<std::string> files;
};

/// Everything that can be set, with defaults.
struct Settings {
    std::string config_file;              ///< "" for none
    std::filesystem::path data_dir;       ///< of serve, demo, and where replay looks for a key
    std::optional<std::string> database;  ///< libpq URL or pairs; empty: a private PostgreSQL in the data folder
    std::string host;                     ///< IPv6 without brackets
    std::uint16_t port = 0;
    observe::Level log_level = observe::Level::warning;
    std::size_t io_threads = 0;
    std::size_t worker_threads = 0;  ///< and connections of the stores
    std::chrono::milliseconds statement_timeout{};
    std::chrono::milliseconds stop_grace{};
    net::HttpLimits http;
    api::ingest::IngestLimits signals;
    int catalogue_documents = 0;  ///< of one kind, of one tenant
    int embedded_evidence = 0;    ///< references that come with one finding
    std::size_t dedup_bytes = 0;
    std::chrono::milliseconds leader_timeout{};
    int retention_days = 0;                             ///< 0: signals are kept for ever
    std::size_t snapshot_entries = 0;                   ///< log entries after which the leader saves its engines' state; 0: never
    std::size_t most_lag = 0;                           ///< signals stored but not yet correlated, beyond which no more are taken; 0: never
    std::vector<engine::IpNetwork> connector_networks;  ///< that connectors may talk to besides the public internet
    std::filesystem::path connector_key_file;           ///< empty: connectors.key in the data folder
    std::string connector_ca_file;                      ///< certificates that connectors trust; "" for the system's
    std::string demo_webhook;                           ///< where the demo's tickets go; "": to a receiver of its own
    ReplayOptions replay;
    PatternFiles patterns;
};

/// One row of the table: everything that --help says about a setting and everything that checks it.
struct Setting {
    enum class Kind { text, path, address, number, word, mark };  ///< a mark is given without a value
    std::string_view flag;                                        ///< "--listen"
    std::string_view environment;                                 ///< "CATENARY_LISTEN"
    Kind kind;
    unsigned commands;          ///< bits of Command that know it
    std::string_view standard;  ///< default as text; "" where help says what happens without it
    std::int64_t least, most;   ///< inclusive; of numbers
    std::string_view unit;      ///< of numbers; also lists the words of a word
    std::string_view help;
    /// Stores a value; the complaint says what would be right. Numbers come checked.
    std::optional<std::string> (*store)(Settings&, const std::string& value);
};
std::span<const Setting> setting_table();

/// Checks `value` against the row and stores it. The complaint names the value, the flag and the environment name.
std::optional<std::string> apply(const Setting& setting, const std::string& value, Settings& settings);

/// "help (1..64, default 2, CATENARY_IO_THREADS)".
std::string describe(const Setting& setting);

/// Where data lives when nobody says: /var/lib/catenary for root, else $XDG_DATA_HOME/catenary, else ~/.local/share/catenary.
std::filesystem::path default_data_dir();

}  // namespace catenary::server::config
