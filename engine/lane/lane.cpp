#include "engine/lane/lane.hpp"

#include "engine/lane/stage_index.hpp"
#include "engine/lane/tenant.hpp"
#include "engine/model/assert.hpp"
#include "engine/snapshot/codec.hpp"
#include "engine/snapshot/lane_snapshot.hpp"

#include <algorithm>
#include <map>

namespace catenary::engine {

class Lane::State {
public:
    explicit State(Catalogue shipped) : catalogue_{shipped} {
        std::erase_if(shipped, [](const auto& pattern) { return pattern->mode == Mode::off; });
        for (const auto& pattern : shipped) shipped_paths_.merge(catenary::engine::attribute_paths(*pattern));
        shipped_ = std::make_shared<const StageIndex>(std::move(shipped), 1);
    }
    /// For an entry: made at its first one, and written at the next `take_effects`.
    Tenant& changing(TenantId id) {
        changed_.insert(id);
        auto& tenant = tenants_[id];
        if (!tenant) tenant = std::make_unique<Tenant>(id, shipped_);
        return *tenant;
    }
    Tenant& applying(TenantId id) {
        last_ = &changing(id);
        last_id_ = id;
        return *last_;
    }
    Tenant& rematching() {
        changed_.insert(last_id_);
        return *last_;
    }
    /// Of the last entry; null: there was none.
    const Tenant* last() const { return last_; }
    const Tenant* find(TenantId id) const {
        const auto found = tenants_.find(id);
        return found == tenants_.end() ? nullptr : found->second.get();
    }
    std::map<TenantId, Timestamp> earliest_activity() const {
        std::map<TenantId, Timestamp> all;
        for (const auto& [id, tenant] : tenants_) {
            if (const auto earliest = tenant->earliest_activity()) all.emplace(id, *earliest);
        }
        return all;
    }
    std::vector<TenantStatus> statuses() const {
        std::vector<TenantStatus> all;
        for (const auto& [id, tenant] : tenants_) all.push_back(tenant->status());
        return all;
    }
    const std::set<std::string>& shipped_paths() const { return shipped_paths_; }
    std::set<TenantId> take_changed() { return std::exchange(changed_, {}); }

    std::string save() const {
        CATENARY_ASSERT(changed_.empty(), "effects are taken before the state is saved");
        SnapshotWriter out;
        std::size_t held = 0;
        for (const auto& [id, tenant] : tenants_) held += static_cast<std::size_t>(tenant->status().state_bytes);
        out.reserve(held / 3);  // written numbers are short: a little more than it becomes
        out(tenants_.size());
        for (const auto& [id, tenant] : tenants_) out(id, *tenant);
        const auto patterns = out.patterns();
        return sealed(catalogue_, patterns, out.take());
    }
    void load(SnapshotReader& in) {
        for (std::size_t left = in.count(); left > 0; --left) {
            TenantId id;
            in(id);
            in.places() = {};
            auto& tenant = tenants_[id];
            SnapshotReader::require(!tenant, "a tenant is repeated");
            tenant = std::make_unique<Tenant>(id, shipped_);
            tenant->load(in);
        }
        SnapshotReader::require(in.left() == 0, "something follows its end");
    }

private:
    Catalogue catalogue_;  // patterns that are off included
    std::shared_ptr<const StageIndex> shipped_;
    std::set<std::string> shipped_paths_;
    std::map<TenantId, std::unique_ptr<Tenant>> tenants_;
    std::set<TenantId> changed_;
    Tenant* last_ = nullptr;
    TenantId last_id_;
};

Lane::Lane(Catalogue shipped) : state_{std::make_unique<State>(std::move(shipped))} {}
Lane::~Lane() = default;
Lane::Lane(Lane&&) noexcept = default;
Lane& Lane::operator=(Lane&&) noexcept = default;

void Lane::apply(Position position, TenantId tenant, Timestamp admitted, const SignalView& signal) {
    state_->applying(tenant).apply(position, admitted, signal);
}

std::optional<HistoryRequest> Lane::history_for(TenantId tenant, const ControlBody& body) const {
    const Tenant* found = state_->find(tenant);
    return found == nullptr ? std::nullopt : found->history_for(body);  // no tenant yet: no signals
}

void Lane::apply(Position position, TenantId tenant, Timestamp admitted, const ControlBody& body, std::span<const StoredSignal> history) {
    state_->applying(tenant).apply(position, admitted, body, history);
}

bool Lane::wants_rematch() const { return state_->last() != nullptr && state_->last()->wants_rematch(); }

std::optional<RematchRequest> Lane::rematch_request() { return wants_rematch() ? std::optional{state_->rematching().rematch_request()} : std::nullopt; }

void Lane::rematch(const RematchAnswer& answer) {
    CATENARY_ASSERT(state_->last() != nullptr, "only a tenant with entries asks");
    state_->rematching().rematch(answer);
}

void Lane::forget_unnamed() {
    CATENARY_ASSERT(state_->last() != nullptr, "only a tenant with entries has anything to forget");
    state_->rematching().forget_unnamed();
}

std::map<TenantId, Timestamp> Lane::earliest_activity() const { return state_->earliest_activity(); }

void Lane::carry_over(TenantId tenant, const StoredIncidents& stored, Position position, Timestamp at) {
    state_->changing(tenant).carry_over(stored, {position, at});
}

Effects Lane::take_effects() {
    Effects effects;
    for (const TenantId id : state_->take_changed()) effects.push_back(state_->changing(id).take_effects());
    state_->take_changed();  // reading is no change
    return effects;
}

const std::set<std::string>& Lane::attribute_paths(TenantId tenant) const {
    const Tenant* found = state_->find(tenant);
    return found == nullptr ? state_->shipped_paths() : found->attribute_paths();
}

std::optional<PartialChains> Lane::partials(TenantId tenant, const PartialWanted& wanted) const {
    const Tenant* found = state_->find(tenant);
    return found == nullptr ? std::nullopt : std::optional{found->partials(wanted)};
}

std::optional<TenantHealth> Lane::health(TenantId tenant) const {
    const Tenant* found = state_->find(tenant);
    return found == nullptr ? std::nullopt : std::optional{found->health()};
}

std::string Lane::digest(TenantId tenant) const {
    const Tenant* found = state_->find(tenant);
    return found == nullptr ? Tenant{tenant, std::make_shared<const StageIndex>(Catalogue{}, 1)}.digest() : found->digest();
}

std::string Lane::save() const { return state_->save(); }

std::vector<TenantStatus> Lane::statuses() const { return state_->statuses(); }

std::string Lane::state_hash() const { return hex(hash_of(save())); }

SnapshotResult<Lane> Lane::load(Catalogue shipped, const Catalogue& posted, std::string_view bytes) {
    try {
        const auto content = unsealed(shipped, posted, bytes);
        if (!content) return content.error();
        Lane lane{std::move(shipped)};
        SnapshotReader in{content->state, content->patterns};
        lane.state_->load(in);
        return lane;
    } catch (const SnapshotDamaged& damaged) {
        return SnapshotRefusal{SnapshotRefusal::Reason::damaged, damaged.what()};
    }
}

}  // namespace catenary::engine
