#pragma once

#include "server/ingest/committer.hpp"
#include "tests/property/lane_log.hpp"
#include "tests/simulator/database.hpp"
#include "tests/simulator/dice.hpp"
#include "tests/support/signal_batches.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace catenary::simulator {

/// Clients of all tenants: they send signals in requests, again until an answer came, sometimes again although it came, and sometimes other content under an id that was used. They remember every answer.
class Client {
public:
    /// `committer`: of a process that runs, nullptr if there is none; asked for the tenant's source.
    using Choose = std::function<server::Committer*(int preferred)>;

    Client(Dice& dice, bool stable_servers) : dice_{dice}, stable_servers_{stable_servers} {}

    /// To be sent, in requests of random sizes.
    void add(engine::TenantId tenant, const engine::Signal& signal);
    /// Some request that may be sent now is, if any.
    void send(const Choose& choose);
    /// Requests that wait for an answer from a process that is no more will not get one.
    void forget(const server::Committer* committer);
    bool is_done() const;
    /// Empty: every promise to clients is kept by what is stored.
    std::optional<std::string> broken(const Database& database) const;

    std::int64_t duplicates = 0;
    std::int64_t conflicts = 0;

private:
    using Item = tests::BatchBuilder::Item;
    struct Request {
        engine::TenantId tenant;
        std::vector<Item> items;
        int preferred = 0;     ///< process it is sent to, where that is fixed
        int answers_left = 1;  ///< answers it still wants
        bool open = false;     ///< sent, and no answer yet
        const server::Committer* to = nullptr;
        std::shared_ptr<bool> listening;
    };
    /// One sending of a request.
    struct Sending {
        engine::TenantId tenant;
        std::vector<Item> items;
        std::shared_ptr<api::ingest::PreparedBatch> batch;  ///< kept: its address stands for it in the database
        std::optional<api::ingest::CommitOutcome> outcome;
    };
    void close_request();
    void send(Request& request, server::Committer& committer);

    Dice& dice_;
    bool stable_servers_;
    std::vector<Request> requests_;
    std::optional<Request> filling_;
    std::size_t fill_ = 0;
    std::vector<std::shared_ptr<Sending>> sendings_;
};

}  // namespace catenary::simulator
