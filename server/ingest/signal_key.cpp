#include "server/ingest/signal_key.hpp"

#include "api/ingest/content.hpp"

#include <chrono>

namespace catenary::server {
namespace {

// First byte of each kind of tuple. Those of stored digests (id, content) never change.
constexpr char id_tuple = 1;
constexpr char content_tuple = 2;
constexpr char entity_tuple = 3;
constexpr char definition_tuple = 4;
constexpr char title_group_tuple = 5;
constexpr char title_tuple = 6;

void add_all(Digester& digester, std::span<const std::string_view> parts) {
    digester.add(static_cast<std::int64_t>(parts.size()));
    for (const auto part : parts) digester.add(part);
}

}  // namespace

SignalKey signal_key(Digester& digester, engine::TenantId tenant, std::string_view source, std::string_view id, engine::Timestamp time) {
    const auto digest = digester.start(id_tuple).add(std::int64_t{tenant.value()}).add(source).add(id).finish();
    const auto millis = std::chrono::floor<std::chrono::milliseconds>(time).time_since_epoch().count();
    return {(static_cast<std::uint64_t>(millis) << 16U) | (digest.high & 0xFFFFU), digest.low};
}

std::int64_t content_digest(Digester& digester, const api::ingest::PreparedSignal& signal) {
    digester.start(content_tuple).add_bytes([&](std::string& bytes) { api::ingest::content_bytes(signal, bytes); });
    return static_cast<std::int64_t>(digester.finish().low);
}

Digest entity_digest(Digester& digester, engine::TenantId tenant, std::string_view kind, std::string_view value) {
    return digester.start(entity_tuple).add(std::int64_t{tenant.value()}).add(kind).add(value).finish();
}

Digest title_digest(Digester& digester, engine::TenantId tenant, std::string_view source, std::string_view name, std::string_view title) {
    return digester.start(title_tuple).add(std::int64_t{tenant.value()}).add(source).add(name).add(title).finish();
}

RequestDigests digest_request(Digester& digester, engine::TenantId tenant, const api::ingest::PreparedBatch& batch) {
    RequestDigests digests;
    digests.signals.reserve(batch.signals.size());
    std::size_t entities = 0;
    for (const auto& signal : batch.signals) entities += signal.entities.size();
    digests.entities.reserve(entities);
    const std::int64_t of{tenant.value()};
    for (const auto& signal : batch.signals) {
        SignalDigests one;
        one.key = signal_key(digester, tenant, signal.source, signal.id, signal.time);
        one.content = content_digest(digester, signal);
        digester.start(definition_tuple).add(of).add(signal.source).add(signal.name).add(signal.domain);
        add_all(digester, signal.tactics);
        add_all(digester, signal.techniques);
        one.definition = digester.finish();
        if (!signal.title.empty()) {
            one.title_group = digester.start(title_group_tuple).add(of).add(signal.source).add(signal.name).finish();
            one.title = title_digest(digester, tenant, signal.source, signal.name, signal.title);
        }
        digests.signals.push_back(one);
        for (const auto& entity : signal.entities) digests.entities.push_back(entity_digest(digester, tenant, entity.kind, entity.value));
    }
    return digests;
}

}  // namespace catenary::server
