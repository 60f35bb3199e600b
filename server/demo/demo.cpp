#include "server/demo/demo.hpp"

#include "server/demo/story.hpp"
#include "server/replay/api_client.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <utility>

namespace catenary::server {
namespace {

using Json = nlohmann::json;

constexpr std::chrono::seconds ticket_patience{20};

/// A reply that must have one of the statuses that `what` leads to.
Json expect(const ApiReply& reply, int status, std::string_view what) {
    if (reply.status != status) throw std::runtime_error(fmt::format("{}: the server answered {}: {}", what, reply.status, reply.body));
    return Json::parse(reply.body);
}

void write_secret(const std::string& path, const std::string& text) {
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR);
    const bool written = file >= 0 && ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    if (file >= 0) ::close(file);
    if (!written) throw std::runtime_error("cannot write " + path);
}

void progress(std::size_t done, std::size_t total) {
    constexpr std::size_t width = 40;
    if (::isatty(STDOUT_FILENO) == 0) {
        if (done == total) fmt::print("  posted {} of {} signals\n", done, total);
        return;
    }
    const auto filled = width * done / total;
    fmt::print("\r  [{}{}] {} of {} signals", std::string(filled, '#'), std::string(width - filled, '.'), done, total);
    if (done == total) fmt::print("\n");
    std::fflush(stdout);
}

void post_story(ApiClient& client) {
    const auto lines = story();
    constexpr std::size_t batch = 100;
    for (std::size_t from = 0; from < lines.size(); from += batch) {
        std::string body;
        const auto to = std::min(from + batch, lines.size());
        for (auto i = from; i < to; ++i) body += lines[i] + "\n";
        expect(client.post("/api/v1/signals", body, "application/x-ndjson"), 200, "posting signals");
        progress(to, lines.size());
    }
    expect(client.post("/api/v1/watermark", R"({"time":"2026-03-07T00:00:00Z"})"), 200, "advancing the watermark");
}

void wait_until_correlated(ApiClient& client) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes{1};
    while (expect(client.get("/api/v1/diagnostics"), 200, "reading diagnostics")["lag"]["signals"].get<std::int64_t>() > 0) {
        if (std::chrono::steady_clock::now() > deadline) throw std::runtime_error("the server did not correlate the story within a minute");
        std::this_thread::sleep_for(std::chrono::milliseconds{20});
    }
}

void print_incident(ApiClient& client, const Json& incident) {
    const auto number = incident["number"].get<std::int64_t>();
    fmt::print("\n  #{}  {}\n      severity {}, score {:.3f}, {} signals from {} to {}\n", number, incident["title"].get<std::string>(),
               incident["severity"].get<std::string>(), incident["score"].get<double>(), incident["signal_count"].get<std::int64_t>(),
               incident["first_activity"].get<std::string>(), incident["last_activity"].get<std::string>());
    const auto explanation = expect(client.get(fmt::format("/api/v1/incidents/{}/explanation", number)), 200, "reading an explanation");
    fmt::print("      {}\n", explanation["summary"].get<std::string>());
    for (const auto& finding : explanation["findings"]) {
        const auto& score = finding["score"];
        fmt::print("      score in bits: prior {:+.2f}", score["prior_bits"].get<double>());
        for (const auto& part : score["contributions"]) fmt::print(", {} {:+.2f}", part["stage"].get<std::string>(), part["bits"].get<double>());
        fmt::print(", domains {:+.2f}, phases {:+.2f} = {:+.2f}\n", score["domain_bonus_bits"].get<double>(), score["phase_bonus_bits"].get<double>(),
                   score["total_bits"].get<double>());
    }
}

void add_connector(ApiClient& client, const DemoOptions& options) {
    const Json connector{
        {"kind", "webhook"}, {"url", options.webhook}, {"secrets", {{"signing", options.signing}}}, {"labels", {"demo"}}, {"console", options.url}};
    const auto body = connector.dump();
    expect(client.send({.method = "PUT", .path = "/api/v1/connectors/demo", .body = body, .headers = {}}), 201, "making the demo's connector");
}

/// The tickets of all incidents, once none of them is under way or the patience is over.
Json delivered_tickets(ApiClient& client, std::size_t incidents) {
    const auto deadline = std::chrono::steady_clock::now() + ticket_patience;
    for (;;) {
        auto tickets = expect(client.get("/api/v1/tickets?connector=demo&limit=500"), 200, "listing tickets")["items"];
        const bool settled = tickets.size() >= incidents && std::ranges::all_of(tickets, [](const Json& ticket) {
                                 return ticket["state"] == "done" || ticket["state"] == "failed" || !ticket["detail"].is_null();
                             });
        if (settled || std::chrono::steady_clock::now() > deadline) return tickets;
        std::this_thread::sleep_for(std::chrono::milliseconds{50});
    }
}

void print_indented(const std::string& text) {
    std::istringstream lines{text};
    for (std::string line; std::getline(lines, line);) fmt::print("      {}\n", line);
}

/// What somebody else's ticket system was sent, and what it answered.
void print_sent(const DemoOptions& options, const Json& tickets) {
    fmt::print("\nTickets posted to {} (signed with the secret in {}):\n", options.webhook, options.signing_file);
    for (const auto& ticket : tickets) {
        const auto detail = ticket["detail"].is_null() ? std::string{} : ": " + ticket["detail"].get<std::string>();
        fmt::print("  #{} {}{}\n", ticket["incident"].get<std::int64_t>(), ticket["state"].get<std::string>(), detail);
    }
}

/// What the demo's own receiver got: each ticket's title, and the whole of the first one.
void print_received(const DemoOptions& options, const Json& incidents) {
    const auto received = options.receiver->received();
    fmt::print("\nTickets that a receiver on {} would have opened ({} messages with a signature that holds, {} without):\n", options.webhook, received.verified,
               received.refused);
    bool is_first = true;
    for (const auto& incident : incidents) {
        const auto found = received.tickets.find(incident["number"].get<std::int64_t>());
        if (found == received.tickets.end()) continue;
        fmt::print("\n  #{}  {}  ({})\n", found->first, found->second.title, found->second.event);
        if (std::exchange(is_first, false)) print_indented(found->second.body);
    }
}

void print_tickets(ApiClient& client, const DemoOptions& options, const Json& incidents) {
    const auto tickets = delivered_tickets(client, incidents.size());
    if (options.receiver == nullptr) print_sent(options, tickets);
    else print_received(options, incidents);
}

}  // namespace

int demo(const DemoOptions& options) {
    ApiClient operator_client{options.url, options.admin_key};
    const auto seconds = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
    const auto name = fmt::format("demo-{}", seconds);
    const auto made = expect(operator_client.post("/api/v1/tenants", Json{{"name", name}}.dump()), 201, "making the demo tenant");
    const auto key = made["key"].get<std::string>();
    write_secret(options.key_file, key + "\n");

    fmt::print("\nA day at a small energy company, replayed into tenant {}:\n", name);
    ApiClient client{options.url, key};
    if (!options.signing_file.empty()) write_secret(options.signing_file, options.signing + "\n");
    add_connector(client, options);
    post_story(client);
    wait_until_correlated(client);

    const auto page = expect(client.get("/api/v1/incidents?sort=-score&limit=50"), 200, "listing incidents");
    const auto& incidents = page["items"];
    fmt::print("\n{} incidents out of {} signals:\n", incidents.size(), story().size());
    for (const auto& incident : incidents) print_incident(client, incident);
    print_tickets(client, options, incidents);

    fmt::print("\nWhere to look next (the demo tenant's key is in {}):\n", options.key_file);
    fmt::print("  curl -H \"Authorization: Bearer $(cat {})\" '{}/api/v1/incidents?sort=-score'\n", options.key_file, options.url);
    for (const auto* part : {"evidence", "timeline", "explanation"}) {
        if (incidents.empty()) break;
        fmt::print("  curl -H \"Authorization: Bearer $(cat {})\" {}/api/v1/incidents/{}/{}\n", options.key_file, options.url,
                   incidents[0]["number"].get<std::int64_t>(), part);
    }
    for (const auto* list : {"tickets", "deliveries", "patterns"}) {
        fmt::print("  curl -H \"Authorization: Bearer $(cat {})\" {}/api/v1/{}\n", options.key_file, options.url, list);
    }
    fmt::print("  curl {}/openapi.json\n\n", options.url);
    std::fflush(stdout);
    return incidents.empty() ? 1 : 0;
}

}  // namespace catenary::server
