#pragma once

#include "api/ingest/prepared.hpp"
#include "engine/model/ids.hpp"

#include <functional>
#include <memory>

namespace catenary::server {

/// Where a session hands its signals to. `done` is called once, from another thread, after the group's COMMIT (or its failure).
class SignalSink {
public:
    virtual ~SignalSink() = default;
    using Done = std::function<void(api::ingest::CommitOutcome)>;
    virtual void submit(engine::TenantId tenant, std::shared_ptr<api::ingest::PreparedBatch> batch, Done done) = 0;
};

}  // namespace catenary::server
