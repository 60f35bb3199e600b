#pragma once

#include "engine/model/ids.hpp"
#include "server/ingest/signal_key.hpp"

#include <optional>
#include <string_view>

namespace catenary::server {

/// Remembers under which key a signal was stored, so that finding it by source and id needs no search through time.
class StoredKeys {
public:
    virtual ~StoredKeys() = default;
    /// Any thread. Empty when it is not remembered, which does not mean that it is not stored; what is remembered may still be rolled back.
    virtual std::optional<SignalKey> key_of(engine::TenantId tenant, std::string_view source, std::string_view id) const = 0;
};

}  // namespace catenary::server
