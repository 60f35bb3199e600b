#include "engine/model/anonymous_names.hpp"

#include "engine/model/ascii.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>

namespace catenary::engine {
namespace {

using namespace std::string_view_literals;

/// A sorted table that turns nearly every other name away by its length or its first letter: most names are somebody's.
template <std::size_t N>
class NameSet {
public:
    constexpr explicit NameSet(const std::array<std::string_view, N>& names) : names_{names} {
        for (const auto name : names) {
            lengths_ |= bit(name.size());
            first_letters_ |= bit(static_cast<unsigned char>(name.front()));
        }
    }
    constexpr bool is_sorted() const { return std::adjacent_find(names_.begin(), names_.end(), std::greater_equal<>{}) == names_.end(); }
    /// False for most texts that are not in the set, in whatever case they are written.
    constexpr bool may_hold(std::string_view name) const {
        return !name.empty() && (lengths_ & bit(name.size())) && (first_letters_ & bit(static_cast<unsigned char>(ascii_lower(name.front()))));
    }
    bool holds(std::string_view name) const { return may_hold(name) && std::binary_search(names_.begin(), names_.end(), name); }
    constexpr std::size_t longest() const {
        return std::max_element(names_.begin(), names_.end(), [](auto left, auto right) { return left.size() < right.size(); })->size();
    }

private:
    static constexpr std::uint64_t bit(std::size_t value) { return std::uint64_t{1} << value % 64; }
    std::array<std::string_view, N> names_;
    std::uint64_t lengths_ = 0;
    std::uint64_t first_letters_ = 0;
};

constexpr NameSet placeholders{std::array{"(empty)"sv, "(none)"sv, "(null)"sv,        "(unknown)"sv, "*"sv,         "-"sv,      "--"sv,
                                          "<empty>"sv, "<none>"sv, "<null>"sv,        "<unknown>"sv, "?"sv,         "[none]"sv, "[unknown]"sv,
                                          "n/a"sv,     "none"sv,   "not available"sv, "null"sv,      "undefined"sv, "unknown"sv}};
static_assert(placeholders.is_sorted());

// Whatever stands before the backslash: "contoso\system" is the local system account of some machine of that domain.
constexpr NameSet everywhere{std::array{"anonymous"sv, "anonymous logon"sv, "authenticated users"sv, "everyone"sv, "local service"sv, "local system"sv,
                                        "localservice"sv, "localsystem"sv, "network service"sv, "networkservice"sv, "nobody"sv, "null sid"sv, "root"sv,
                                        "system"sv}};
static_assert(everywhere.is_sorted());

// LOCAL SYSTEM, LOCAL SERVICE, NETWORK SERVICE and groups that hold anybody, as security identifiers.
constexpr NameSet shared_sids{std::array{"s-1-0-0"sv, "s-1-1-0"sv, "s-1-5-11"sv, "s-1-5-18"sv, "s-1-5-19"sv, "s-1-5-20"sv, "s-1-5-7"sv}};
static_assert(shared_sids.is_sorted());

// All names below these authorities are the same on every machine.
constexpr NameSet shared_authorities{
    std::array{"builtin"sv, "font driver host"sv, "iis apppool"sv, "nt authority"sv, "nt service"sv, "nt virtual machine"sv, "window manager"sv}};
static_assert(shared_authorities.is_sorted());

constexpr NameSet local_hosts{std::array{"ip6-localhost"sv, "ip6-loopback"sv, "localdomain"sv, "localhost"sv, "localhost.localdomain"sv, "localhost4"sv,
                                         "localhost4.localdomain4"sv, "localhost6"sv, "localhost6.localdomain6"sv}};
static_assert(local_hosts.is_sorted());

constexpr NameSet empty_hashes{std::array{"d41d8cd98f00b204e9800998ecf8427e"sv, "da39a3ee5e6b4b0d3255bfef95601890afd80709"sv,
                                          "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"sv}};
static_assert(empty_hashes.is_sorted());

/// "dwm-1", "umfd-0": one for each session of a machine.
bool is_session_account(std::string_view name) {
    const std::size_t prefix = name.starts_with("dwm-") ? 4 : name.starts_with("umfd-") ? 5 : 0;
    return prefix > 0 && name.size() > prefix && std::all_of(name.begin() + static_cast<std::ptrdiff_t>(prefix), name.end(), is_ascii_digit);
}

}  // namespace

bool is_placeholder(std::string_view value) {
    if (value.empty()) return true;
    if (value.size() > placeholders.longest() || !placeholders.may_hold(value)) return false;
    return placeholders.holds(ascii_lower(value));
}

bool is_shared_account(std::string_view account) {
    const auto separator = account.find('\\');
    if (separator == std::string_view::npos) {
        const auto at = account.find('@');
        if (at != std::string_view::npos) return is_local_host_name(account.substr(at + 1)) && everywhere.holds(account.substr(0, at));
        return everywhere.holds(account) || shared_sids.holds(account) || is_session_account(account);
    }
    const auto name = account.substr(separator + 1);
    return shared_authorities.holds(account.substr(0, separator)) || everywhere.holds(name) || is_session_account(name) || is_placeholder(name);
}

bool is_shared_process(std::string_view process) { return process == "system" || process == "system idle process"; }

bool is_local_host_name(std::string_view host) { return local_hosts.holds(host) || host.ends_with(".localhost"); }

bool is_empty_hash(std::string_view hash) { return empty_hashes.holds(hash) || (hash.size() >= 32 && hash.find_first_not_of('0') == std::string_view::npos); }

}  // namespace catenary::engine
