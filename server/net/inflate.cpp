#include "server/net/inflate.hpp"

#define ZLIB_CONST  // zlib does not write to its input
#include <zlib.h>

#include <algorithm>
#include <array>
#include <new>

namespace catenary::server::net {
namespace {

constexpr int gzip_only = 15 + 16;       // largest window; zlib's way to say that the header must be gzip's
constexpr std::size_t step = 32 * 1024;  // unpacked at once: stays in the processor's cache until it is appended
constexpr std::size_t usual_ratio = 8;   // of signals as JSON

/// zlib's state for one stream; released with it.
class Inflater {
public:
    explicit Inflater(std::string_view packed) {
        stream_.next_in = reinterpret_cast<const Bytef*>(packed.data());
        stream_.avail_in = static_cast<uInt>(packed.size());  // a request's body: megabytes
        if (::inflateInit2(&stream_, gzip_only) != Z_OK) throw std::bad_alloc{};
    }
    ~Inflater() { ::inflateEnd(&stream_); }
    Inflater(const Inflater&) = delete;
    Inflater& operator=(const Inflater&) = delete;

    /// zlib's verdict; what came out is `part()`.
    int next() {
        stream_.next_out = part_.data();
        stream_.avail_out = static_cast<uInt>(part_.size());
        return ::inflate(&stream_, Z_NO_FLUSH);
    }
    std::string_view part() const { return {reinterpret_cast<const char*>(part_.data()), part_.size() - stream_.avail_out}; }
    bool used_up() const { return stream_.avail_in == 0; }
    void next_member() { ::inflateReset(&stream_); }

private:
    z_stream stream_{};
    std::array<Bytef, step> part_;
};

}  // namespace

InflateEnd inflate_gzip(std::string_view packed, std::string& into, std::size_t most, std::size_t padding) {
    into.clear();
    into.reserve(std::min(most, packed.size() * usual_ratio) + padding);
    Inflater inflater{packed};
    for (;;) {
        const int verdict = inflater.next();
        const auto part = inflater.part();
        if (part.size() > most - into.size()) return InflateEnd::too_large;
        into.append(part);
        if (verdict == Z_STREAM_END) {
            if (inflater.used_up()) break;
            inflater.next_member();
            continue;
        }
        if (verdict == Z_BUF_ERROR) return InflateEnd::truncated;  // nothing to read, nothing to write
        if (verdict != Z_OK) return InflateEnd::corrupt;
    }
    into.reserve(into.size() + padding);
    return InflateEnd::complete;
}

}  // namespace catenary::server::net
