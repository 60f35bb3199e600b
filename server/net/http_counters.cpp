#include "server/net/http_counters.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <iterator>
#include <string_view>

namespace catenary::server::net {

void HttpCounters::answered(Kind kind, int status, std::chrono::steady_clock::duration took) {
    auto& series = series_[static_cast<std::size_t>(kind)];
    const auto hundreds = static_cast<std::size_t>(std::clamp(status / 100, 0, 5));
    series.classes[hundreds].fetch_add(1, std::memory_order_relaxed);
    const auto bucket = std::lower_bound(bounds.begin(), bounds.end(), std::chrono::duration<double>(took).count()) - bounds.begin();
    series.buckets[static_cast<std::size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
    series.micros.fetch_add(std::chrono::duration_cast<std::chrono::microseconds>(took).count(), std::memory_order_relaxed);
}

std::string HttpCounters::text() const {
    constexpr std::array<std::string_view, 2> kinds{"ingest", "other"};
    std::string text = "# HELP catenary_http_requests_total Requests answered, by kind and class of status.\n# TYPE catenary_http_requests_total counter\n";
    auto out = std::back_inserter(text);
    for (std::size_t k = 0; k < kinds.size(); ++k) {
        for (std::size_t c = 1; c <= 5; ++c) {
            fmt::format_to(out, "catenary_http_requests_total{{kind=\"{}\",status=\"{}xx\"}} {}\n", kinds[k], c, series_[k].classes[c].load());
        }
    }
    text += "# HELP catenary_http_request_seconds From the last byte of a head to the reply.\n# TYPE catenary_http_request_seconds histogram\n";
    for (std::size_t k = 0; k < kinds.size(); ++k) {
        std::int64_t total = 0;
        for (std::size_t b = 0; b <= bounds.size(); ++b) {
            total += series_[k].buckets[b].load();
            const auto bound = b == bounds.size() ? std::string{"+Inf"} : fmt::format("{}", bounds[b]);
            fmt::format_to(out, "catenary_http_request_seconds_bucket{{kind=\"{}\",le=\"{}\"}} {}\n", kinds[k], bound, total);
        }
        fmt::format_to(out, "catenary_http_request_seconds_sum{{kind=\"{}\"}} {}\ncatenary_http_request_seconds_count{{kind=\"{}\"}} {}\n", kinds[k],
                       static_cast<double>(series_[k].micros.load()) / 1e6, kinds[k], total);
    }
    fmt::format_to(out,
                   "# HELP catenary_http_unanswered_total Connections closed without a reply because the outcome of a COMMIT is unknown.\n"
                   "# TYPE catenary_http_unanswered_total counter\ncatenary_http_unanswered_total {}\n"
                   "# HELP catenary_http_received_bytes_total Bytes of request bodies.\n"
                   "# TYPE catenary_http_received_bytes_total counter\ncatenary_http_received_bytes_total {}\n"
                   "# HELP catenary_ingest_prepare_seconds_total Time in which bodies of signals were unpacked, parsed and checked.\n"
                   "# TYPE catenary_ingest_prepare_seconds_total counter\ncatenary_ingest_prepare_seconds_total {}\n",
                   dropped_.load(), received_bytes_.load(), static_cast<double>(prepare_micros_.load()) / 1e6);
    return text;
}

}  // namespace catenary::server::net
