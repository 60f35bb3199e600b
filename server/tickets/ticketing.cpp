#include "server/tickets/ticketing.hpp"

#include <fmt/format.h>
#include <sodium.h>

#include <array>
#include <stdexcept>
#include <utility>

namespace catenary::server::tickets {
namespace {

constexpr std::size_t connections = 4;
constexpr std::chrono::seconds patience{10};

pg::Dsn parsed(const std::string& text) {
    auto dsn = pg::Dsn::parse(text);
    if (!dsn) throw std::runtime_error(dsn.error().message);
    return *std::move(dsn);
}

}  // namespace

Ticketing::Ticketing(const TicketingOptions& options, pg::LaneProgress& progress, std::function<void()> nudge_lane)
    : secret_{options.secret},
      box_{SecretBox::key_in(options.key_file)},
      rules_{options.networks},
      limits_{.ca_file = options.ca_file},
      pool_{parsed(options.api_dsn), connections, patience},
      incidents_{pool_},
      control_{pool_, progress, std::move(nudge_lane)},
      dispatcher_{{.dsn = options.lane_dsn}, setting(options)} {}

WorkerSetting Ticketing::setting(const TicketingOptions& options) {
    return {.pool = pool_,
            .incidents = incidents_,
            .control = control_,
            .box = box_,
            .rules = rules_,
            .limits = limits_,
            .owner = fmt::format("{} {:08x}{:08x}", options.process, randombytes_random(), randombytes_random()),
            .marker_prefix = [this](engine::TenantId tenant) { return marker_prefix(tenant); }};
}

/// Tells apart everybody who uses the same ticket system, and says nothing about them.
std::string Ticketing::marker_prefix(engine::TenantId tenant) const {
    const auto purpose = fmt::format("tickets of tenant {}", tenant.value());
    std::array<unsigned char, 16> digest{};
    crypto_generichash(digest.data(), digest.size(), reinterpret_cast<const unsigned char*>(purpose.data()), purpose.size(), secret_.data(), secret_.size());
    return fmt::format("catenary-{:02x}{:02x}{:02x}{:02x}{:02x}-", digest[0], digest[1], digest[2], digest[3], digest[4]);
}

api::tickets::ConnectorTest Ticketing::test(engine::TenantId tenant, const pg::ServedConnector& served, std::vector<Exchanged>& exchanged) const {
    Outbound outbound{rules_, limits_};
    Wire wire{outbound, served.secrets};
    const auto tested = make_ticket_system(served.connector, wire, marker_prefix(tenant))->test();
    exchanged = wire.take();
    if (!tested) return {false, wire.shown(tested.error().words)};
    return {true, *tested};
}

std::optional<engine::Result<HookNews>> Ticketing::read_hook(engine::TenantId tenant, const pg::ServedConnector& served,
                                                             const api::tickets::HookMessage& message) const {
    Outbound outbound{rules_, limits_};
    Wire wire{outbound, served.secrets};
    const auto now = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
    return make_ticket_system(served.connector, wire, marker_prefix(tenant))->parse_hook(message, now);
}

}  // namespace catenary::server::tickets
