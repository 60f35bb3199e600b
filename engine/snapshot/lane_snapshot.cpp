#include "engine/snapshot/lane_snapshot.hpp"

#include "engine/snapshot/codec.hpp"
#include "engine/snapshot/pattern_identity.hpp"

#include <zlib.h>

#include <map>
#include <stdexcept>

namespace catenary::engine {
namespace {

using Reason = SnapshotRefusal::Reason;

// The second number: raise it with every change of what entries do to the state, or of what is saved of it.
constexpr std::string_view engine_version = CATENARY_VERSION "/10";
constexpr std::string_view first_line = "catenary lane state 1\n";

SnapshotHash hash_of_catalogue(const Catalogue& shipped) {
    SnapshotWriter out;
    for (const auto& pattern : shipped) out(pattern->mode, content_hash(*pattern));
    return hash_of(out.take());
}

SnapshotHash hash_from(SnapshotReader& in) {
    SnapshotHash hash{};
    in(hash);
    return hash;
}

SnapshotResult<Unsealed> read_seal(const Catalogue& shipped, const Catalogue& posted, std::string_view bytes) {
    SnapshotReader in{bytes, {}};
    if (in.raw(first_line.size()) != first_line) return SnapshotRefusal{Reason::other_engine, "it is in another format"};
    if (const std::string version = in.text(); version != engine_version) {
        return SnapshotRefusal{Reason::other_engine, "it was made by version " + version + ", this is " + std::string{engine_version}};
    }
    if (hash_from(in) != hash_of_catalogue(shipped)) return SnapshotRefusal{Reason::other_catalogue, "other patterns shipped when it was made"};

    std::map<SnapshotHash, std::shared_ptr<const Pattern>> known;
    for (const auto* patterns : {&shipped, &posted}) {
        for (const auto& pattern : *patterns) known.try_emplace(content_hash(*pattern), pattern);
    }
    Unsealed result;
    for (std::size_t left = in.count(); left > 0; --left) {
        std::string id;
        std::int32_t version = 0;
        in(id, version);
        const auto pattern = known.find(hash_from(in));
        if (pattern == known.end()) {
            return SnapshotRefusal{Reason::unknown_pattern, "version " + std::to_string(version) + " of the pattern " + id + " is not known as it was then"};
        }
        result.patterns.push_back(pattern->second);
    }
    result.state = bytes.substr(bytes.size() - in.left());
    return result;
}

}  // namespace

std::string_view Lane::version() { return engine_version; }

std::string catalogue_hash(const Catalogue& shipped) { return hex(hash_of_catalogue(shipped)); }

const char* to_string(Reason reason) {
    switch (reason) {
        case Reason::damaged: return "damaged";
        case Reason::other_engine: return "other_engine";
        case Reason::other_catalogue: return "other_catalogue";
        case Reason::unknown_pattern: break;
    }
    return "unknown_pattern";
}

void throw_exception_from_error(const SnapshotRefusal& refusal, const boost::source_location& /*where*/) {
    throw std::invalid_argument{std::string{to_string(refusal.reason)} + ": " + refusal.detail};
}

std::string seal_of(std::string_view content) {
    const auto crc = crc32_z(0, reinterpret_cast<const Bytef*>(content.data()), content.size());
    std::string seal;
    for (unsigned shift = 0; shift < 32; shift += 8) seal.push_back(static_cast<char>(crc >> shift & 0xFFU));
    return seal;
}

std::string sealed(const Catalogue& shipped, const std::vector<std::shared_ptr<const Pattern>>& patterns, std::string state) {
    SnapshotWriter out;
    out.raw(first_line);
    out.text(engine_version);
    out(hash_of_catalogue(shipped), patterns.size());
    for (const auto& pattern : patterns) out(pattern->id, pattern->version, content_hash(*pattern));
    state.insert(0, out.take());
    state += seal_of(state);
    return state;
}

SnapshotResult<Unsealed> unsealed(const Catalogue& shipped, const Catalogue& posted, std::string_view bytes) {
    const std::size_t seal_size = seal_of({}).size();
    if (bytes.size() < seal_size) return SnapshotRefusal{Reason::damaged, "it ends too early"};
    const std::string_view content = bytes.substr(0, bytes.size() - seal_size);
    if (seal_of(content) != bytes.substr(content.size())) return SnapshotRefusal{Reason::damaged, "its checksum is another"};
    return read_seal(shipped, posted, content);
}

}  // namespace catenary::engine
