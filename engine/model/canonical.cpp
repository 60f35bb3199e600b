#include "engine/model/canonical.hpp"

#include "engine/model/anonymous_names.hpp"
#include "engine/model/ascii.hpp"
#include "engine/model/ip_address.hpp"
#include "engine/model/spelling.hpp"

#include <algorithm>

namespace catenary::engine {
namespace {

bool is_shared_ip(std::string_view text) {
    const auto address = IpAddress::parse(text);
    return address && address->is_shared();
}

bool identifies_account(std::string_view value) { return !is_shared_account(value); }
bool identifies_host(std::string_view value) { return !is_local_host_name(value) && !is_shared_ip(value); }
bool identifies_ip(std::string_view value) {
    const auto address = IpAddress::parse(value);
    return address && !address->is_shared();  // what is no address cannot be compared with addresses
}
bool identifies_url(std::string_view value) {
    const auto host = spelling::url_host(value);
    return host.empty() || identifies_host(host);
}
bool identifies_file(std::string_view value) { return !is_empty_hash(value); }
bool identifies_process(std::string_view value) { return !is_shared_process(value); }
bool identifies_anyway(std::string_view) { return true; }
/// Of a kind nobody described: whatever identifies nobody in one of the known kinds.
bool identifies_unknown(std::string_view value) {
    const auto folded = ascii_lower(value);
    return !is_shared_account(folded) && identifies_host(folded);
}

struct KnownKind {
    std::string_view kind;
    std::string (*spelling)(std::string_view);
    bool (*identifies)(std::string_view);  ///< of a canonical value that is no placeholder
    bool is_folded;                        ///< every canonical value is in lower case
};

constexpr KnownKind known_kinds[] = {
    {"account", spelling::account, identifies_account, true},
    {"ip", spelling::ip, identifies_ip, true},
    {"host", spelling::host, identifies_host, true},
    {"mailbox", spelling::mailbox, identifies_anyway, true},
    {"file", spelling::file, identifies_file, false},
    {"process", spelling::process, identifies_process, true},
    {"url", spelling::url, identifies_url, false},
    {"domain", spelling::domain, identifies_host, true},
    {"app", [](std::string_view text) { return ascii_lower(text); }, identifies_anyway, true},
    {"cloud_resource", spelling::cloud_resource, identifies_anyway, false},
};

constexpr KnownKind open_kind{"", [](std::string_view text) { return std::string(text); }, identifies_unknown, false};

const KnownKind& known(std::string_view kind) {
    for (const auto& candidate : known_kinds) {
        if (candidate.kind == kind) return candidate;
    }
    return open_kind;
}

}  // namespace

CanonicalEntity canonical(std::string_view kind, std::string_view value) {
    const auto& rules = known(kind);
    const auto inner = trimmed(value);
    if (is_placeholder(inner)) return {rules.is_folded ? ascii_lower(inner) : std::string(inner), false};  // before "N/A" looks like DOMAIN/user
    CanonicalEntity entity{rules.spelling(inner), true};
    entity.identifies = !is_placeholder(entity.value) && rules.identifies(entity.value);
    return entity;
}

std::string canonical_part(std::string_view kind, std::string_view part) {
    if (known(kind).is_folded || (kind == "file" && spelling::is_windows_path(part))) return ascii_lower(part);
    if (kind == "url" && part.find("://") != std::string_view::npos) {
        const auto path = std::min(part.find_first_of("/?#", part.find("://") + 3), part.size());
        return ascii_lower(part.substr(0, path)).append(part.substr(path));
    }
    return std::string(part);
}

}  // namespace catenary::engine
