#include "server/config/settings.hpp"

#include "api/tickets/target_url.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <type_traits>

namespace catenary::server::config {
namespace {

using Kind = Setting::Kind;
using Complaint = std::optional<std::string>;

constexpr int least_retention_days = 60;
constexpr unsigned serving = bit(Command::serve) | bit(Command::demo);
constexpr std::int64_t kibibyte = 1024;
constexpr std::int64_t mebibyte = 1024 * kibibyte;

std::optional<std::int64_t> number_in(std::string_view text) {
    std::int64_t number = 0;
    const auto end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, number);
    if (parsed.ec != std::errc{} || parsed.ptr != end) return {};
    return number;
}
/// For rows of kind number, whose values were checked.
std::int64_t number(const std::string& text) { return number_in(text).value_or(0); }

template <auto Member, std::int64_t Unit = 1>
Complaint store_number(Settings& settings, const std::string& value) {
    using Number = std::remove_reference_t<decltype(settings.*Member)>;
    settings.*Member = static_cast<Number>(number(value) * Unit);
    return {};
}
template <auto Member>
Complaint store_seconds(Settings& settings, const std::string& value) {
    settings.*Member = std::chrono::seconds{number(value)};
    return {};
}
template <auto Member, std::int64_t Unit = 1>
Complaint store_http_number(Settings& settings, const std::string& value) {
    settings.http.*Member = number(value) * Unit;
    return {};
}
template <auto Member, std::int64_t Unit = 1>
Complaint store_rate(Settings& settings, const std::string& value) {
    settings.http.rates.*Member = number(value) * Unit;
    return {};
}
template <auto Member>
Complaint store_http_seconds(Settings& settings, const std::string& value) {
    settings.http.*Member = std::chrono::seconds{number(value)};
    return {};
}

template <auto Member, std::int64_t Unit = 1>
Complaint store_signal_limit(Settings& settings, const std::string& value) {
    settings.signals.*Member = static_cast<std::size_t>(number(value) * Unit);
    return {};
}

Complaint store_config(Settings& settings, const std::string& value) {
    settings.config_file = value;
    return {};
}
Complaint store_data_dir(Settings& settings, const std::string& value) {
    if (value.empty()) return "a folder";
    settings.data_dir = value;
    return {};
}
Complaint store_database(Settings& settings, const std::string& value) {
    if (!value.empty()) settings.database = value;
    return {};
}
Complaint store_retention(Settings& settings, const std::string& value) {
    const auto days = static_cast<int>(number(value));
    if (days > 0 && days < least_retention_days) return fmt::format("0, or at least {} days: so long may an incident grow", least_retention_days);
    settings.retention_days = days;
    return {};
}
Complaint store_url(Settings& settings, const std::string& value) {
    if (!value.starts_with("http://") && !value.starts_with("https://")) return "http://HOST:PORT";
    settings.replay.url = value.substr(0, value.find_last_not_of('/') + 1);
    return {};
}
Complaint store_key_file(Settings& settings, const std::string& value) {
    settings.replay.key_file = value;
    return {};
}
Complaint store_batch(Settings& settings, const std::string& value) {
    settings.replay.batch = static_cast<std::size_t>(number(value));
    return {};
}
Complaint store_end(Settings& settings, const std::string& value) {
    if (value != "recorded" && value != "now") return "recorded or now";
    settings.replay.end = value == "now" ? ReplayEnd::now : ReplayEnd::as_recorded;
    return {};
}
Complaint store_advance(Settings& settings, const std::string& value) {
    settings.replay.advance_watermark = value == "yes";
    return {};
}

/// "127.0.0.1:8080", "[::1]:8080", "localhost:0".
Complaint store_listen(Settings& settings, const std::string& value) {
    const auto colon = value.rfind(':');
    const auto port = number_in(colon == std::string::npos ? std::string_view{} : std::string_view{value}.substr(colon + 1)).value_or(-1);
    auto host = value.substr(0, colon == std::string::npos ? 0 : colon);
    const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
    if (bracketed) host = host.substr(1, host.size() - 2);
    if (port < 0 || port > 65535 || host.empty() || (!bracketed && host.find(':') != std::string::npos)) {
        return "ADDRESS:PORT with a port of 0..65535, IPv6 in brackets";
    }
    settings.host = host;
    settings.port = static_cast<std::uint16_t>(port);
    return {};
}

Complaint store_log_level(Settings& settings, const std::string& value) {
    using observe::Level;
    constexpr std::pair<std::string_view, Level> levels[] = {
        {"debug", Level::debug}, {"info", Level::info}, {"warning", Level::warning}, {"error", Level::error}};
    for (const auto& [word, level] : levels) {
        if (word == value) {
            settings.log_level = level;
            return {};
        }
    }
    return "one of debug, info, warning, error";
}

/// "10.0.0.0/8,127.0.0.1".
Complaint store_networks(Settings& settings, const std::string& value) {
    settings.connector_networks.clear();
    for (std::string_view rest = value; !rest.empty();) {
        const auto text = rest.substr(0, std::min(rest.find(','), rest.size()));
        rest.remove_prefix(std::min(text.size() + 1, rest.size()));
        const auto network = engine::IpNetwork::parse(text);
        if (!network) return "addresses or networks such as 10.0.0.0/8 or fd00::/8, with commas between them";
        settings.connector_networks.push_back(*network);
    }
    return {};
}
Complaint store_connector_key(Settings& settings, const std::string& value) {
    settings.connector_key_file = value;
    return {};
}
Complaint store_connector_ca(Settings& settings, const std::string& value) {
    settings.connector_ca_file = value;
    return {};
}

Complaint store_demo_webhook(Settings& settings, const std::string& value) {
    if (const auto wrong = value.empty() ? std::nullopt : api::tickets::fault_of_url(value, false)) return "an address: it " + *wrong;
    settings.demo_webhook = value;
    return {};
}

constexpr Setting table[] = {
    {config_flag, "CATENARY_CONFIG", Kind::path, serving | bit(Command::replay) | bit(Command::migrate), "", 0, 0, "",
     "TOML file with settings, named as the flags with _ for -, such as io_threads = 4; a flag wins over the environment, that over the file", &store_config},
    {"--data-dir", "CATENARY_DATA_DIR", Kind::path, serving | bit(Command::replay), "", 0, 0, "",
     "Folder for the private PostgreSQL, its data and admin.key; by default /var/lib/catenary for root, else $XDG_DATA_HOME/catenary or "
     "~/.local/share/catenary",
     &store_data_dir},
    {"--listen", "CATENARY_LISTEN", Kind::address, serving, "127.0.0.1:8080", 0, 0, "", "Where to listen; port 0 lets the system choose", &store_listen},
    {"--database", "CATENARY_DATABASE", Kind::text, serving | bit(Command::migrate), "", 0, 0, "",
     "URL of a PostgreSQL database that somebody else runs; without it `serve` runs a private one in the data folder", &store_database},
    {"--log-level", "CATENARY_LOG_LEVEL", Kind::word, serving, "warning", 0, 0, "debug, info, warning or error",
     "Least level of the JSON lines on standard error", &store_log_level},
    {"--io-threads", "CATENARY_IO_THREADS", Kind::number, serving, "2", 1, 64, "", "Threads that read and write sockets", &store_number<&Settings::io_threads>},
    {"--worker-threads", "CATENARY_WORKER_THREADS", Kind::number, serving, "8", 1, 256, "",
     "Threads that parse bodies and run requests, and connections to PostgreSQL for them", &store_number<&Settings::worker_threads>},
    {"--statement-timeout", "CATENARY_STATEMENT_TIMEOUT", Kind::number, serving, "10", 1, 3600, "s", "Longest time of one statement of a request",
     &store_seconds<&Settings::statement_timeout>},
    {"--stop-grace", "CATENARY_STOP_GRACE", Kind::number, serving, "10", 0, 600, "s", "How long a stop waits for requests under way",
     &store_seconds<&Settings::stop_grace>},
    {"--max-connections", "CATENARY_MAX_CONNECTIONS", Kind::number, serving, "10000", 1, 1'000'000, "", "Connections at once; beyond: 503",
     &store_http_number<&net::HttpLimits::connections>},
    {"--max-requests", "CATENARY_MAX_REQUESTS", Kind::number, serving, "1024", 1, 1'000'000, "", "Requests answered at once; beyond: 503",
     &store_http_number<&net::HttpLimits::requests>},
    {"--max-in-flight", "CATENARY_MAX_IN_FLIGHT", Kind::number, serving, "256", 8, 65'536, "MiB", "Request bodies held at once; beyond: 503",
     &store_http_number<&net::HttpLimits::in_flight_bytes, mebibyte>},
    {"--request-bytes", "CATENARY_REQUEST_BYTES", Kind::number, serving, "8", 1, 64, "MiB",
     "Longest body of a request with signals, unpacked as well; beyond: 413", &store_http_number<&net::HttpLimits::batch_bytes, mebibyte>},
    {"--request-signals", "CATENARY_REQUEST_SIGNALS", Kind::number, serving, "1000", 1, 10'000, "", "Signals in one request; beyond: 413",
     &store_signal_limit<&api::ingest::IngestLimits::signals>},
    {"--signal-bytes", "CATENARY_SIGNAL_BYTES", Kind::number, serving, "64", 1, 256, "KiB", "Longest signal; a longer one is refused alone",
     &store_signal_limit<&api::ingest::IngestLimits::signal_bytes, kibibyte>},
    {"--signal-entities", "CATENARY_SIGNAL_ENTITIES", Kind::number, serving, "32", 1, 32, "", "Entities that a signal may name; one with more is refused alone",
     &store_signal_limit<&api::ingest::IngestLimits::entities>},
    {"--entity-bytes", "CATENARY_ENTITY_BYTES", Kind::number, serving, "512", 16, 512, "bytes",
     "Longest value of an entity; a signal with a longer one is refused alone", &store_signal_limit<&api::ingest::IngestLimits::entity_bytes>},
    {"--catalogue-documents", "CATENARY_CATALOGUE_DOCUMENTS", Kind::number, serving, "512", 1, 10'000, "",
     "Documents of one kind that a tenant may have of its own; beyond: 422", &store_number<&Settings::catalogue_documents>},
    {"--embedded-evidence", "CATENARY_EMBEDDED_EVIDENCE", Kind::number, serving, "200", 1, 1'000, "",
     "References to evidence that come with one finding; /incidents/{number}/evidence pages through all", &store_number<&Settings::embedded_evidence>},
    {"--max-lag", "CATENARY_MAX_LAG", Kind::number, serving, "5000000", 0, 1'000'000'000, "signals",
     "Signals stored but not yet correlated; beyond: 503 for further ones until the engine has caught up; 0: no limit", &store_number<&Settings::most_lag>},
    {"--tenant-signals", "CATENARY_TENANT_SIGNALS", Kind::number, serving, "0", 0, 100'000'000, "signals/s",
     "Signals that each tenant may send on average, ten seconds' worth ahead; beyond: 429; 0: no limit", &store_rate<&net::RateLimits::tenant_signals>},
    {"--tenant-bytes", "CATENARY_TENANT_BYTES", Kind::number, serving, "0", 0, 100'000'000, "KiB/s", "Bytes of signals that each tenant may send, as above",
     &store_rate<&net::RateLimits::tenant_bytes, kibibyte>},
    {"--key-signals", "CATENARY_KEY_SIGNALS", Kind::number, serving, "0", 0, 100'000'000, "signals/s", "Signals that each API key may send, as above",
     &store_rate<&net::RateLimits::key_signals>},
    {"--key-bytes", "CATENARY_KEY_BYTES", Kind::number, serving, "0", 0, 100'000'000, "KiB/s", "Bytes of signals that each API key may send, as above",
     &store_rate<&net::RateLimits::key_bytes, kibibyte>},
    {"--header-timeout", "CATENARY_HEADER_TIMEOUT", Kind::number, serving, "10", 1, 600, "s", "Longest time for a request's head",
     &store_http_seconds<&net::HttpLimits::header>},
    {"--body-timeout", "CATENARY_BODY_TIMEOUT", Kind::number, serving, "30", 1, 3600, "s", "Longest time for a body, besides 1 s for each 64 KiB",
     &store_http_seconds<&net::HttpLimits::body>},
    {"--write-timeout", "CATENARY_WRITE_TIMEOUT", Kind::number, serving, "30", 1, 3600, "s", "Longest time for writing a reply, besides 1 s for each 64 KiB",
     &store_http_seconds<&net::HttpLimits::write>},
    {"--idle-timeout", "CATENARY_IDLE_TIMEOUT", Kind::number, serving, "75", 1, 3600, "s", "How long a connection may stay silent between requests",
     &store_http_seconds<&net::HttpLimits::idle>},
    {"--dedup-memory", "CATENARY_DEDUP_MEMORY", Kind::number, serving, "512", 16, 65'536, "MiB", "Memory of the set that recognises repeated signals",
     &store_number<&Settings::dedup_bytes, mebibyte>},
    {"--retention-days", "CATENARY_RETENTION_DAYS", Kind::number, serving, "0", 0, 36'500, "days",
     "Signals of earlier days are dropped, and refused; findings keep their evidence; 0: all are kept, else at least 60", &store_retention},
    {"--leader-timeout", "CATENARY_LEADER_TIMEOUT", Kind::number, serving, "10", 1, 600, "s",
     "With several servers on one database: silence after which the one that correlates is taken to stand still, and another takes over",
     &store_seconds<&Settings::leader_timeout>},
    {"--snapshot-entries", "CATENARY_SNAPSHOT_ENTRIES", Kind::number, serving, "5000000", 0, 1'000'000'000, "entries of the log",
     "After so many the leader saves its engines' state, so that a start reads only what came since; every ten minutes too; 0: never",
     &store_number<&Settings::snapshot_entries>},
    {"--connector-networks", "CATENARY_CONNECTOR_NETWORKS", Kind::text, serving, "", 0, 0, "",
     "Networks that connectors to ticket systems may talk to although they are not on the public internet, with commas between them; plain http only to these",
     &store_networks},
    {"--connector-key-file", "CATENARY_CONNECTOR_KEY_FILE", Kind::path, serving, "", 0, 0, "",
     "File with the key that seals connectors' secrets, made when it is missing; by default connectors.key in the data folder. Servers on one database share "
     "it",
     &store_connector_key},
    {"--connector-ca-file", "CATENARY_CONNECTOR_CA_FILE", Kind::path, serving, "", 0, 0, "",
     "PEM file of the certificates that connectors trust instead of the system's", &store_connector_ca},
    {"--demo-webhook", "CATENARY_DEMO_WEBHOOK", Kind::text, bit(Command::demo), "", 0, 0, "",
     "Where the demo's tickets are posted, by the Standard Webhooks specification; without it the demo receives them itself and prints them",
     &store_demo_webhook},
    {"--url", "CATENARY_URL", Kind::text, bit(Command::replay), "http://127.0.0.1:8080", 0, 0, "", "Server to post to", &store_url},
    {"--key-file", "CATENARY_KEY_FILE", Kind::path, bit(Command::replay), "", 0, 0, "", "File with the API key; by default admin.key in the data folder",
     &store_key_file},
    {"--batch", "CATENARY_BATCH", Kind::number, bit(Command::replay), "1000", 1, 1000, "signals", "Signals a request", &store_batch},
    {"--end", "CATENARY_END", Kind::word, bit(Command::replay), "recorded", 0, 0, "recorded or now",
     "Where the newest signal is placed in time: all times are moved by one amount", &store_end},
    {"--advance-watermark", "CATENARY_ADVANCE_WATERMARK", Kind::mark, bit(Command::replay), "no", 0, 0, "",
     "At the end move the watermark past the newest signal, which closes waiting absences", &store_advance},
};

Complaint checked(const Setting& setting, const std::string& value) {
    if (setting.kind == Kind::number) {
        const auto given = number_in(value);
        if (!given || *given < setting.least || *given > setting.most)
            return fmt::format("a whole number of {}..{} {}", setting.least, setting.most, setting.unit);
    }
    if (setting.kind == Kind::mark && value != "yes" && value != "no") return "yes or no";
    return {};
}

}  // namespace

std::span<const Setting> setting_table() { return table; }

std::optional<std::string> apply(const Setting& setting, const std::string& value, Settings& settings) {
    auto wanted = checked(setting, value);
    if (!wanted) wanted = setting.store(settings, value);
    if (!wanted) return {};
    while (wanted->ends_with(' ')) wanted->pop_back();
    return fmt::format("{} ({}): '{}' is not what is needed here: {}", setting.flag, setting.environment, value, *wanted);
}

std::string describe(const Setting& setting) {
    std::string notes;
    if (setting.kind == Kind::number) notes = fmt::format("{}..{}{}{}, ", setting.least, setting.most, setting.unit.empty() ? "" : " ", setting.unit);
    if (setting.kind == Kind::word) notes = fmt::format("{}; ", setting.unit);
    if (!setting.standard.empty() && setting.kind != Kind::mark) notes += fmt::format("default {}, ", setting.standard);
    return fmt::format("{} ({}{})", setting.help, notes, setting.environment);
}

std::filesystem::path default_data_dir() {
    if (::geteuid() == 0) return "/var/lib/catenary";
    if (const char* data = std::getenv("XDG_DATA_HOME"); data != nullptr && *data != '\0') return std::filesystem::path{data} / "catenary";
    const char* home = std::getenv("HOME");
    return std::filesystem::path{home == nullptr ? "." : home} / ".local/share/catenary";
}

}  // namespace catenary::server::config
