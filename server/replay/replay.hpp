#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace catenary::server {

/// Where in time replayed signals are placed.
enum class ReplayEnd {
    as_recorded,  ///< times stay
    now,          ///< all times are shifted by one amount, so that the newest signal is now
};

struct ReplayOptions {
    std::string url = "http://127.0.0.1:8080";  ///< of the running server, no trailing slash
    std::string key_file;                       ///< holds one API key with signals:write (and catalogue:write for `advance_watermark`)
    std::vector<std::string> files;             ///< FILE.ndjson or FILE.ndjson.gz, each sorted by time; merged by time
    std::size_t batch = 1000;                   ///< signals a request, 1..1000
    ReplayEnd end = ReplayEnd::as_recorded;
    bool advance_watermark = false;  ///< at the end move the watermark past the newest signal, which closes waiting absences
};

/// Posts files of recorded signals to a running server in the order of their times, with progress on standard output and refusals on standard error
/// (the first ten). 429 and 503 are retried after the time the server asks for. A lost connection is retried too: repeats are duplicates.
/// Returns the exit code: 0 when everything was accepted or already there, 1 when items were refused, 2 when it could not be carried out.
int replay(const ReplayOptions& options);

}  // namespace catenary::server
