#include "server/net/http_server.hpp"

#include "server/net/listener.hpp"
#include "server/net/serving.hpp"
#include "server/net/session_registry.hpp"

#include <fmt/format.h>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>

#include <random>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

namespace catenary::server::net {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

/// How long sessions that were abandoned may take to notice: they only run to the end of what they do.
constexpr std::chrono::seconds abandon_patience{5};

std::uint64_t random_seed() {
    std::random_device device;
    return (std::uint64_t{device()} << 32U) | device();
}

std::string to_text(const tcp::endpoint& where) {
    return where.address().is_v6() ? fmt::format("[{}]:{}", where.address().to_string(), where.port())
                                   : fmt::format("{}:{}", where.address().to_string(), where.port());
}

}  // namespace

class HttpServer::Machinery {
public:
    Machinery(HttpServerOptions given, const Endpoints& endpoints, const observe::Log& log)
        : options{std::move(given)},
          workers{options.worker_threads},
          serving{options.limits, endpoints, log, workers, random_seed()},
          io{static_cast<int>(options.io_threads)},
          work{io.get_executor()} {}

    void run_threads() {
        for (std::size_t i = 0; i < options.io_threads; ++i) threads.emplace_back([this] { io.run(); });
    }

    const HttpServerOptions options;
    SessionRegistry sessions;  // before `io`, whose destruction may end sessions
    asio::thread_pool workers;
    Serving serving;
    asio::io_context io;
    asio::executor_work_guard<asio::io_context::executor_type> work;
    std::shared_ptr<Listener> listener;
    std::vector<std::thread> threads;
    bool drained = false;
};

HttpServer::HttpServer(HttpServerOptions options, const Endpoints& endpoints, const observe::Log& log)
    : machinery_{std::make_unique<Machinery>(std::move(options), endpoints, log)} {}

HttpServer::~HttpServer() {
    auto& m = *machinery_;
    if (!m.drained) drain(std::chrono::milliseconds{0});
    m.workers.join();  // jobs still write into the frames of sessions
    if (!m.threads.empty()) static_cast<void>(m.sessions.wait_until_empty(std::chrono::steady_clock::now() + abandon_patience));
    m.io.stop();
    for (auto& thread : m.threads) thread.join();
}

std::string HttpServer::start() {
    auto& m = *machinery_;
    try {
        tcp::resolver resolver{m.io};
        const auto found = resolver.resolve(m.options.host, std::to_string(m.options.port), tcp::resolver::passive);
        m.listener = std::make_shared<Listener>(m.io, found.begin()->endpoint(), m.serving, m.sessions);
    } catch (const boost::system::system_error& error) {
        throw std::runtime_error(fmt::format("cannot listen on {}:{}: {}", m.options.host, m.options.port, error.code().message()));
    }
    m.listener->start();
    m.run_threads();
    return to_text(m.listener->where());
}

bool HttpServer::drain(std::chrono::milliseconds grace) {
    auto& m = *machinery_;
    const auto deadline = std::chrono::steady_clock::now() + grace;
    m.drained = true;
    m.serving.stopping = true;
    if (m.listener != nullptr) m.listener->stop();
    m.sessions.stop_idle();
    const bool finished = m.sessions.wait_until_empty(deadline);
    if (!finished) m.sessions.abandon_all();
    return finished;
}

std::string HttpServer::usage_text() const {
    const auto& serving = machinery_->serving;
    std::string text =
        "# HELP catenary_http_in_use Connections, requests and bytes of bodies and replies held now.\n# TYPE catenary_http_in_use gauge\n"
        "# HELP catenary_http_limit How many there may be.\n# TYPE catenary_http_limit gauge\n"
        "# HELP catenary_http_refused_total How often the limit refused one: with 503, or by closing the connection.\n# TYPE catenary_http_refused_total "
        "counter\n";
    const std::pair<std::string_view, const Quota&> quotas[] = {{"connections", serving.connections},     {"requests", serving.requests},
                                                                {"bytes", serving.in_flight_bytes},       {"keyless_bytes", serving.keyless_bytes},
                                                                {"skipped_bytes", serving.skipped_bytes}, {"reply_bytes", serving.reply_bytes}};
    for (const auto& [name, quota] : quotas) {
        text +=
            fmt::format("catenary_http_in_use{{what=\"{0}\"}} {1}\ncatenary_http_limit{{what=\"{0}\"}} {2}\ncatenary_http_refused_total{{what=\"{0}\"}} {3}\n",
                        name, quota.used(), quota.most(), quota.refused());
    }
    text += fmt::format(
        "# HELP catenary_quota_refused_total Requests with signals refused with 429.\n# TYPE catenary_quota_refused_total counter\n"
        "catenary_quota_refused_total {}\n"
        "# HELP catenary_busy_refused_total Requests of known tenants refused because the server, or their tenant's share of it, had too much at once.\n"
        "# TYPE catenary_busy_refused_total counter\ncatenary_busy_refused_total {}\n"
        "# HELP catenary_too_large_refused_total Signals, and requests with signals, refused because they exceed a limit of their size.\n"
        "# TYPE catenary_too_large_refused_total counter\ncatenary_too_large_refused_total {}\n"
        "# HELP catenary_stalled_refused_total Requests with signals refused with 503 because correlation is too far behind.\n"
        "# TYPE catenary_stalled_refused_total counter\ncatenary_stalled_refused_total {}\n",
        serving.rates.refused().total(), serving.busy.total(), serving.too_large.total(), serving.stalled.total());
    return text;
}

HttpServer::Refused HttpServer::refused(engine::TenantId tenant) const {
    const auto& serving = machinery_->serving;
    return {serving.rates.refused().of(tenant), serving.stalled.of(tenant), serving.busy.of(tenant), serving.too_large.of(tenant)};
}

}  // namespace catenary::server::net
