#pragma once

#include "engine/model/time.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace catenary::server {

/// One recorded signal: its line and its time.
struct RecordedSignal {
    std::string line;
    engine::Timestamp time;
};

/// Why a recording cannot be read: names file and line. Thrown.
struct RecordingFault {
    std::string what;
};

/// A file of signals, one JSON object a line, gzip or plain, read as a stream.
class Recording {
public:
    explicit Recording(std::string file);  ///< throws RecordingFault
    ~Recording();
    Recording(Recording&&) noexcept;
    Recording& operator=(Recording&&) noexcept;

    /// The next signal; empty at the end. Blank lines are passed over. Throws RecordingFault on a line without a readable `time`.
    std::optional<RecordedSignal> next();
    /// Bytes read of the file as it lies on disk, and its size: for progress.
    std::uint64_t bytes_read() const;
    std::uint64_t bytes() const;

private:
    class Source;
    std::unique_ptr<Source> source_;
};

/// Several recordings, each sorted by time, as one: always the earliest next signal, the first file's on a tie.
class MergedRecordings {
public:
    explicit MergedRecordings(const std::vector<std::string>& files);
    std::optional<RecordedSignal> next();
    /// 0..1.
    double share_read() const;

private:
    struct Head {
        RecordedSignal signal;
        std::size_t file;
    };
    void refill(std::size_t file);
    std::vector<Recording> files_;
    std::vector<Head> heads_;  // a heap: the earliest on top
};

}  // namespace catenary::server
