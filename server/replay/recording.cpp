#include "server/replay/recording.hpp"

#include "api/json/time_json.hpp"

#include <fmt/format.h>
#include <zlib.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <tuple>

namespace catenary::server {
namespace {

/// Keeps nothing but the top-level "time", so that reading a recording does not cost a document a line.
class TimeFinder : public nlohmann::json_sax<nlohmann::json> {
public:
    std::string time;

    bool null() override { return true; }
    bool boolean(bool) override { return true; }
    bool number_integer(number_integer_t) override { return true; }
    bool number_unsigned(number_unsigned_t) override { return true; }
    bool number_float(number_float_t, const string_t&) override { return true; }
    bool binary(binary_t&) override { return true; }
    bool string(string_t& value) override {
        if (depth_ == 1 && is_time_) time = value;
        return true;
    }
    bool start_object(std::size_t) override { return ++depth_ > 0; }
    bool end_object() override { return --depth_ >= 0; }
    bool start_array(std::size_t) override { return ++depth_ > 0; }
    bool end_array() override { return --depth_ >= 0; }
    bool key(string_t& name) override {
        if (depth_ == 1) is_time_ = name == "time";
        return true;
    }
    bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override { return false; }

private:
    int depth_ = 0;
    bool is_time_ = false;
};

}  // namespace

/// zlib reads plain files too.
class Recording::Source {
public:
    explicit Source(std::string name) : file{std::move(name)}, stream{gzopen(file.c_str(), "rb")} {
        if (stream == nullptr) throw RecordingFault{"cannot open " + file};
        gzbuffer(stream, 1U << 17U);
        std::error_code ignored;
        size = std::filesystem::file_size(file, ignored);
    }
    ~Source() { gzclose(stream); }
    Source(const Source&) = delete;
    Source& operator=(const Source&) = delete;

    /// False at the end of the file. Reads by blocks, since gzgets cannot tell a NUL in a line from its end.
    bool read_line(std::string& line) {
        line.clear();
        while (true) {
            const auto end = block.find('\n', at);
            line.append(block, at, end == std::string::npos ? std::string::npos : end - at);
            if (end != std::string::npos) {
                at = end + 1;
                break;
            }
            if (!read_block()) {
                if (line.empty()) return false;
                break;
            }
        }
        if (line.ends_with('\r')) line.pop_back();
        ++number;
        return true;
    }

    bool read_block() {
        block.resize(1U << 16U);
        at = 0;
        const int got = gzread(stream, block.data(), static_cast<unsigned>(block.size()));
        int code = Z_OK;
        const auto* text = gzerror(stream, &code);
        if (got < 0 || (code != Z_OK && code != Z_STREAM_END)) throw RecordingFault{fmt::format("{}: {}", file, text)};
        block.resize(static_cast<std::size_t>(got));
        return got > 0;
    }

    std::string file;
    gzFile stream;
    std::uint64_t size = 0;
    std::size_t number = 0;
    std::string block;
    std::size_t at = 0;  // in block: where the next line begins
};

Recording::Recording(std::string file) : source_{std::make_unique<Source>(std::move(file))} {}
Recording::~Recording() = default;
Recording::Recording(Recording&&) noexcept = default;
Recording& Recording::operator=(Recording&&) noexcept = default;

std::optional<RecordedSignal> Recording::next() {
    RecordedSignal signal;
    do {
        if (!source_->read_line(signal.line)) return {};
    } while (signal.line.empty());
    TimeFinder finder;
    const bool parsed = nlohmann::json::sax_parse(signal.line, &finder);
    const auto time = parsed ? api::json::parse_time(finder.time) : std::nullopt;
    if (!time) throw RecordingFault{fmt::format("{}:{}: not a JSON object with an RFC 3339 time", source_->file, source_->number)};
    signal.time = *time;
    return signal;
}

std::uint64_t Recording::bytes_read() const { return static_cast<std::uint64_t>(std::max<z_off_t>(0, gzoffset(source_->stream))); }
std::uint64_t Recording::bytes() const { return source_->size; }

namespace {
constexpr auto later = [](const auto& left, const auto& right) { return std::tie(left.signal.time, left.file) > std::tie(right.signal.time, right.file); };
}  // namespace

MergedRecordings::MergedRecordings(const std::vector<std::string>& files) {
    for (const auto& file : files) files_.emplace_back(file);
    for (std::size_t file = 0; file < files_.size(); ++file) refill(file);
}

void MergedRecordings::refill(std::size_t file) {
    auto signal = files_[file].next();
    if (!signal) return;
    heads_.push_back({*std::move(signal), file});
    std::push_heap(heads_.begin(), heads_.end(), later);
}

std::optional<RecordedSignal> MergedRecordings::next() {
    if (heads_.empty()) return {};
    std::pop_heap(heads_.begin(), heads_.end(), later);
    auto head = std::move(heads_.back());
    heads_.pop_back();
    refill(head.file);
    return std::move(head.signal);
}

double MergedRecordings::share_read() const {
    std::uint64_t read = 0;
    std::uint64_t all = 0;
    for (const auto& file : files_) {
        read += file.bytes_read();
        all += file.bytes();
    }
    return all == 0 ? 1.0 : std::min(1.0, static_cast<double>(read) / static_cast<double>(all));
}

}  // namespace catenary::server
