#pragma once

#include "server/ingest/group_writer.hpp"
#include "server/ingest/ingest_store.hpp"
#include "server/ingest/layout.hpp"
#include "server/ingest/pq_connection.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <set>
#include <string>

namespace catenary::server {

/// In PostgreSQL, as catenary_ingest.
class PqIngestStore final : public IngestStore {
public:
    /// `dictionary_bytes`: see Dictionaries.
    PqIngestStore(std::string dsn, std::size_t dictionary_bytes) : dsn_{std::move(dsn)}, dictionary_bytes_{dictionary_bytes} {}

    void connect() override;
    bool connected() const override { return connection_ != nullptr && connection_->good(); }
    void disconnect() override { connection_.reset(); }

    DigestKey digest_key() override { return load_digest_key(*connection_); }
    std::map<engine::TenantId, std::int16_t> lanes_of(std::span<const std::int32_t> tenants) override;
    LeafCalendar calendar() override { return LeafCalendar::load(*connection_); }
    std::set<Day> leaves() override { return load_leaves(*connection_); }
    void make_leaf(Day leaf) override;
    void each_stored(Day leaf, Day end, const std::function<bool(const DedupSet::Stored&)>& take) override;

    void begin() override { writer().begin(*connection_); }
    std::vector<DedupSet::Stored> stored_already(std::span<const SignalKey> keys, const LeafCalendar& calendar) override {
        return writer().stored_already(*connection_, keys, calendar);
    }
    engine::Position write(const Group& group, const LeafCalendar& calendar, engine::Timestamp received) override {
        return writer().write(*connection_, group, calendar, received);
    }
    CommitFate commit() override { return writer().commit(*connection_); }
    void roll_back() noexcept override;

    const PqError& failure() const override { return writer_->failure(); }
    void probe_room() override;

private:
    GroupWriter& writer();

    const std::string dsn_;
    const std::size_t dictionary_bytes_;
    std::unique_ptr<PqConnection> connection_;
    std::unique_ptr<PqConnection> leaf_maker_;  ///< apart, so that making a leaf never holds the log
    std::optional<GroupWriter> writer_;         ///< its dictionaries outlive a session
};

}  // namespace catenary::server
