#include "server/replay/replay.hpp"

#include "api/json/time_json.hpp"
#include "server/replay/api_client.hpp"
#include "server/replay/recording.hpp"

#include <fmt/format.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <stdexcept>
#include <thread>

namespace catenary::server {
namespace {

using Steady = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr std::size_t most_body_bytes = 8 * 1024 * 1024 - 1;  // what the server takes, without the last line's end

struct Tally {
    std::uint64_t accepted = 0, duplicates = 0, conflicts = 0, rejected = 0, late = 0;
    std::uint64_t posted() const { return accepted + duplicates + conflicts + rejected; }
};

std::string key_in(const std::string& file) {
    std::ifstream in{file};
    std::string key;
    if (!(in >> key)) throw std::runtime_error("no API key in " + file);
    return key;
}

/// Sends until there is an answer about the content: waits out 429, 503 and lost connections, which change nothing that a repeat would not mend.
ApiReply insist(ApiClient& client, const std::string& path, const std::string& body, const std::string& content_type) {
    constexpr int attempts = 60;
    for (int attempt = 1;; ++attempt) {
        try {
            auto reply = client.post(path, body, content_type);
            if (reply.status != 429 && reply.status != 503) return reply;
            if (attempt == attempts) throw std::runtime_error("the server stayed overloaded: " + reply.body);
            std::this_thread::sleep_for(reply.retry_after.value_or(1s));
        } catch (const ApiUnreachable& unreachable) {
            if (attempt == attempts) throw std::runtime_error("the server cannot be reached: " + unreachable.what);
            std::this_thread::sleep_for(1s);
        }
    }
}

class Progress {
public:
    void show(const Tally& tally, double share, bool last) {
        const auto now = Steady::now();
        const bool terminal = ::isatty(STDOUT_FILENO) == 1;
        if (!last && now - shown_ < (terminal ? 100ms : 5000ms)) return;
        shown_ = now;
        const auto seconds = std::max(1e-3, std::chrono::duration<double>(now - began_).count());
        const auto line = fmt::format("{:3.0f} %  {} posted, {} refused, {:.0f} signals/s", share * 100, tally.posted(), tally.conflicts + tally.rejected,
                                      static_cast<double>(tally.posted()) / seconds);
        if (terminal) fmt::print("\r  {}\033[K{}", line, last ? "\n" : "");
        if (!terminal) fmt::print("  {}\n", line);
        std::fflush(stdout);
    }

private:
    Steady::time_point began_ = Steady::now();
    Steady::time_point shown_{};
};

/// The first ten refusals in full; the rest are counted.
void complain(const nlohmann::json& answer, Tally& tally) {
    constexpr std::uint64_t printed = 10;
    auto before = tally.conflicts + tally.rejected;
    for (const auto& item : answer.value("items", nlohmann::json::array())) {
        if (before++ < printed) fmt::print(stderr, "refused: {}\n", item.dump());
    }
    tally.accepted += answer.value("accepted", std::uint64_t{0});
    tally.duplicates += answer.value("duplicates", std::uint64_t{0});
    tally.conflicts += answer.value("conflicts", std::uint64_t{0});
    tally.rejected += answer.value("rejected", std::uint64_t{0});
    tally.late += answer.value("late", std::uint64_t{0});
}

engine::Timestamp newest_time(const std::vector<std::string>& files) {
    engine::Timestamp newest{};
    for (MergedRecordings all{files}; auto signal = all.next();) newest = std::max(newest, signal->time);
    return newest;
}

std::string shifted(const RecordedSignal& signal, engine::Duration shift) {
    auto document = nlohmann::ordered_json::parse(signal.line);
    document["time"] = api::json::format_time(signal.time + shift);
    return document.dump();
}

Tally post_all(ApiClient& client, const ReplayOptions& options) {
    engine::Duration shift{0};
    if (options.end == ReplayEnd::now) {
        shift = std::chrono::floor<engine::Duration>(std::chrono::system_clock::now()) - newest_time(options.files);
    }
    Tally tally;
    Progress progress;
    MergedRecordings recordings{options.files};
    engine::Timestamp newest{};
    std::string body;
    std::size_t waiting = 0;
    const auto flush = [&] {
        if (waiting == 0) return;
        const auto reply = insist(client, "/api/v1/signals", body, "application/x-ndjson");
        if (reply.status != 200 && reply.status != 207 && reply.status != 422)
            throw std::runtime_error(fmt::format("the server answered {}: {}", reply.status, reply.body));
        complain(nlohmann::json::parse(reply.body), tally);
        body.clear();
        waiting = 0;
        progress.show(tally, recordings.share_read(), false);
    };
    while (auto signal = recordings.next()) {
        newest = std::max(newest, signal->time + shift);
        const auto line = shift == engine::Duration{0} ? std::move(signal->line) : shifted(*signal, shift);
        if (body.size() + line.size() >= most_body_bytes) flush();
        body += line;
        body += '\n';
        if (++waiting == options.batch) flush();
    }
    flush();
    if (options.advance_watermark) {
        constexpr auto past = std::chrono::hours{48};  // beyond every window that could still be waiting for an absence
        const auto call = nlohmann::json{{"time", api::json::format_time(newest + past)}};
        const auto reply = insist(client, "/api/v1/watermark", call.dump(), "application/json");
        if (reply.status != 200) throw std::runtime_error(fmt::format("the watermark was not taken: {} {}", reply.status, reply.body));
    }
    progress.show(tally, 1, true);
    return tally;
}

}  // namespace

int replay(const ReplayOptions& options) {
    try {
        ApiClient client{options.url, key_in(options.key_file)};
        const auto tally = post_all(client, options);
        fmt::print("{} accepted, {} already there, {} late, {} in conflict, {} rejected\n", tally.accepted, tally.duplicates, tally.late, tally.conflicts,
                   tally.rejected);
        return tally.conflicts + tally.rejected == 0 ? 0 : 1;
    } catch (const RecordingFault& fault) {
        fmt::print(stderr, "{}\n", fault.what);
    } catch (const std::exception& failure) {
        fmt::print(stderr, "{}\n", failure.what());
    }
    return 2;
}

}  // namespace catenary::server
