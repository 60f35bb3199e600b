#pragma once

#include "server/replay/api_client.hpp"
#include "tests/support/http_site.hpp"
#include "tests/support/server_process.hpp"

#include <nlohmann/json.hpp>

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace catenary::tests {

/// A tenant that has something of everything a tenant can have. Whatever it is asked by (ids, names, entities) holds its name; whatever else it wrote holds
/// its secret, so that either is recognised wherever it turns up.
class TenantWorld {
public:
    /// Makes the tenant and waits until nothing of it is on its way any more: signals are correlated, tickets delivered, jobs ended. Its ticket system is the
    /// tenant's own folder on `desk`. Each of the incidents has a ticket.
    TenantWorld(const ServerProcess& server, const HttpSite& desk, std::string name, int incidents);

    const std::string& name() const { return name_; }
    const std::string& secret() const { return secret_; }
    /// "pattern", "finding", "job" … as its API names them.
    const std::string& id(const std::string& what) const { return ids_.at(what); }
    /// Every one of those that nobody else can have by chance.
    std::vector<std::string> marks() const;

    /// Requests that this tenant has made already, with an idempotency key, and the replies to them.
    struct Remembered {
        std::string path, key;
        nlohmann::json body;
        std::string reply;
    };
    const std::vector<Remembered>& remembered() const { return remembered_; }
    const nlohmann::json& ecs() const { return ecs_; }
    const nlohmann::json& ocsf() const { return ocsf_; }
    const nlohmann::json& cloudevent() const { return cloudevent_; }
    nlohmann::json pattern_document() const;
    nlohmann::json connector_document(const std::string& host) const;
    /// The signature headers of a hook's message, made with the secret of this tenant's connector.
    std::vector<std::string> hook_headers(const std::string& body) const;

    server::ApiReply send(const server::ApiClient::Request& request) { return client_.send(request); }
    nlohmann::json get(const std::string& path);

private:
    nlohmann::json make(const std::string& method, const std::string& path, const nlohmann::json& body, bool is_remembered = false);
    nlohmann::json signals(int incidents) const;
    void write_about_incidents(int incidents);
    void wait_until_settled(int incidents);
    void learn_ids(int incidents);

    std::string name_, secret_;
    std::string key_;
    server::ApiClient client_;
    nlohmann::json ecs_, ocsf_, cloudevent_;
    std::map<std::string, std::string> ids_;
    std::vector<Remembered> remembered_;
};

}  // namespace catenary::tests
