#include "server/ingest/ingest_session.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <mutex>
#include <utility>

namespace catenary::server {
namespace {

/// The fate that a failed statement means for the group, before COMMIT.
GroupFate fate_of(const PqError& error) {
    if (error.broken()) return GroupFate::failed;
    if (error.sqlstate() == "23505") return GroupFate::collided;
    if (error.sqlstate() == "42P01") return GroupFate::leaf_gone;
    if (error.sqlstate().starts_with("22")) return GroupFate::poisoned;
    return GroupFate::failed;
}

GroupFate fate_of(CommitFate fate) {
    switch (fate) {
        case CommitFate::committed: return GroupFate::committed;
        case CommitFate::unknown: return GroupFate::unknown;
        case CommitFate::failed: break;
    }
    return GroupFate::failed;
}

std::vector<SignalKey> keys_of(const Group& group) {
    std::vector<SignalKey> keys;
    keys.reserve(group.rows.size());
    for (const auto& row : group.rows) keys.push_back(group.digests(row).key);
    return keys;
}

}  // namespace

IngestSession::IngestSession(std::unique_ptr<IngestStore> store, std::size_t dedup_bytes, const Watermarks& watermarks)
    : store_{std::move(store)}, watermarks_{watermarks}, stored_{dedup_bytes}, leaves_{*store_} {}

void IngestSession::connect(engine::Timestamp now) {
    store_->connect();
    if (!loaded_) key_ = store_->digest_key();
    leaves_.load();
    prepare_days(now);
    resolve();
    if (!loaded_) load_stored();
    loaded_ = true;
}

void IngestSession::prepare_days(engine::Timestamp now) { leaves_.ensure_ahead(now); }

void IngestSession::probe_room() { store_->probe_room(); }

void IngestSession::find_tenants(std::span<const WaitingRequest* const> requests) {
    std::vector<std::int32_t> unknown;
    for (const auto* request : requests) {
        if (!knows(request->tenant)) unknown.push_back(request->tenant.value());
    }
    if (unknown.empty()) return;
    lanes_.merge(store_->lanes_of(unknown));
}

void IngestSession::load_stored() {
    // A former process may have sent a COMMIT before it ended that is being carried out only now.
    store_->begin();
    store_->roll_back();
    // An eighth stays free, so that the first groups do not make the set forget.
    const auto enough = stored_.capacity() - stored_.capacity() / 8;
    const auto begin = std::chrono::steady_clock::now();
    for (auto leaf = leaves_.all().rbegin(); leaf != leaves_.all().rend() && stored_.size() < enough; ++leaf) {
        store_->each_stored(*leaf, leaves_.calendar().end_of(*leaf), [&](const DedupSet::Stored& row) {
            remember(row);
            return stored_.size() < enough;
        });
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    spdlog::info("event=dedup_loaded entries={} seconds={:.3f} complete={}", stored_.size(), took.count(), stored_.size() < enough);
}

/// The same signals may have come in through another server meanwhile, some of them and with other content: what counts is what is stored now.
void IngestSession::resolve() {
    if (unresolved_.empty()) return;
    store_->begin();  // waits for the transaction in question if it still runs
    const auto found = store_->stored_already(unresolved_, leaves_.calendar());
    store_->roll_back();
    for (const auto& row : found) remember(row);
    spdlog::info("event=commit_resolved rows={} stored={}", unresolved_.size(), found.size());
    unresolved_.clear();
}

std::optional<SignalKey> IngestSession::key_of(engine::TenantId tenant, std::string_view source, std::string_view id) const {
    Digester digester{key_};
    const auto wanted = signal_key(digester, tenant, source, id, engine::Timestamp{});  // of any time: only the id is compared
    const std::shared_lock lock{stored_mutex_};
    const auto stored = stored_.find(wanted);
    if (!stored) return std::nullopt;
    return stored->key;
}

Group IngestSession::plan(std::span<const WaitingRequest* const> requests) {
    const std::unique_lock lock{stored_mutex_};
    return plan_group(requests, lanes_, stored_, leaves_, watermarks_);
}

void IngestSession::remember(const DedupSet::Stored& row) {
    const std::unique_lock lock{stored_mutex_};
    stored_.add(row);
}

void IngestSession::take_back(const Group& group) {
    const std::unique_lock lock{stored_mutex_};
    for (const auto& key : group.added) stored_.remove(key);
}

GroupResult IngestSession::run(std::span<const WaitingRequest* const> requests, engine::Timestamp received) {
    auto result = attempt(requests, received, Check::none);
    if (result.fate == GroupFate::leaf_gone) {
        try {
            leaves_.load();
        } catch (const PqError& error) {
            result.fate = GroupFate::failed;
            result.failed(error);
            return result;
        }
        result = attempt(requests, received, Check::none);
    }
    if (result.fate == GroupFate::collided) {
        result = attempt(requests, received, Check::stored_first);
        result.collided = true;
    }
    return result;
}

GroupResult IngestSession::attempt(std::span<const WaitingRequest* const> requests, engine::Timestamp received, Check check) {
    GroupResult result;
    result.received = received;
    result.group = plan(requests);
    if (result.group.rows.empty()) {
        // Nothing but repeats of what is committed, conflicts and refusals: there is nothing to commit.
        result.fate = GroupFate::committed;
        return result;
    }
    try {
        leaves_.ensure(result.group.missing_leaves);
        write(result, requests, check);
    } catch (const PqError& error) {
        result.fate = fate_of(error);
        result.failed(error);
        store_->roll_back();
        take_back(result.group);
        return result;
    }
    if (result.group.rows.empty()) return result;
    result.fate = fate_of(store_->commit());
    if (result.fate == GroupFate::committed) return result;
    result.failed(store_->failure());
    take_back(result.group);
    if (result.fate == GroupFate::unknown) {
        unresolved_ = keys_of(result.group);
    }
    return result;
}

void IngestSession::write(GroupResult& result, std::span<const WaitingRequest* const> requests, Check check) {
    store_->begin();
    if (check == Check::stored_first) {
        const auto already = store_->stored_already(keys_of(result.group), leaves_.calendar());
        take_back(result.group);
        for (const auto& row : already) remember(row);
        result.group = plan(requests);
        if (result.group.rows.empty()) {
            result.fate = GroupFate::committed;
            store_->roll_back();
            return;
        }
    }
    result.first = store_->write(result.group, leaves_.calendar(), result.received);
}

}  // namespace catenary::server
