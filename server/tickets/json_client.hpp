#pragma once

#include "server/tickets/json_reading.hpp"
#include "server/tickets/ticket_system.hpp"

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace catenary::server::tickets {

/// JSON over HTTP with one ticket system. One thread.
class JsonClient {
public:
    /// The system's own words in the body of a refusal, "" when there are none; the body is `discarded` when it is no JSON.
    using Words = std::string (*)(const nlohmann::json& body);

    /// `root`: what paths are added to. `headers`: of every request, never logged.
    JsonClient(Wire& wire, std::string root, std::vector<std::string> headers, Words words)
        : wire_{wire}, root_{std::move(root)}, headers_{std::move(headers)}, words_{words} {}

    /// What only reads may be asked again: nothing of it is in doubt, and a reply that is lost at once is asked for twice more. 404 is `gone`. The reply is an
    /// object or a list.
    Remote<nlohmann::json> ask(std::string_view action, const std::string& path);
    /// A question that is posted.
    Remote<nlohmann::json> ask(std::string_view action, const std::string& path, const nlohmann::json& question);
    /// Changes something there. 404 is `gone`; the reply is `discarded` where it has no body.
    Remote<nlohmann::json> write(std::string_view action, const std::string& method, const std::string& path, const nlohmann::json& body,
                                 const std::vector<std::string>& headers = {});

    /// Of the newest reply; 0 and "" when there was none.
    int status() const { return status_; }
    const std::string& etag() const { return etag_; }
    /// It was longer than is read.
    bool is_too_large() const { return is_too_large_; }

private:
    Remote<nlohmann::json> read(std::string_view action, const OutboundRequest& request);
    OutboundResult send(std::string_view action, const OutboundRequest& request);
    RemoteFault refusal(const OutboundReply& reply) const;

    Wire& wire_;
    std::string root_;
    std::vector<std::string> headers_;
    Words words_;
    int status_ = 0;
    std::string etag_;
    bool is_too_large_ = false;
};

/// A fault of what is no ticket: `gone` there means that the address or a name in the document is wrong.
RemoteFault of_no_ticket(RemoteFault fault);

}  // namespace catenary::server::tickets
