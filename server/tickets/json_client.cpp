#include "server/tickets/json_client.hpp"

#include <chrono>

namespace catenary::server::tickets {

using Json = nlohmann::json;

namespace {

constexpr std::size_t most_words = 500;
// A connection that breaks says nothing about the next one; a system that does not answer in time is left alone.
constexpr int most_repeats = 2;
constexpr std::chrono::seconds quick{2};

}  // namespace

OutboundResult JsonClient::send(std::string_view action, const OutboundRequest& request) {
    auto reply = wire_.send(action, request);
    status_ = reply ? reply->status : 0;
    etag_ = reply ? reply->etag : "";
    is_too_large_ = !reply && reply.error().kind == OutboundError::Kind::too_large;
    return reply;
}

RemoteFault JsonClient::refusal(const OutboundReply& reply) const {
    auto fault = fault_of(reply, shortened(words_(Json::parse(reply.body, nullptr, false)), most_words));
    if (reply.status == 404) fault.kind = RemoteFault::Kind::gone;
    return fault;
}

Remote<Json> JsonClient::read(std::string_view action, const OutboundRequest& request) {
    auto begin = std::chrono::steady_clock::now();
    auto reply = send(action, request);
    for (int repeat = 0; repeat < most_repeats && !reply && reply.error().kind == OutboundError::Kind::lost; ++repeat) {
        if (std::chrono::steady_clock::now() - begin > quick) break;
        begin = std::chrono::steady_clock::now();
        reply = send(action, request);
    }
    auto fault = RemoteFault{RemoteFault::Kind::later, "its reply is no JSON object"};
    if (!reply) {
        fault = fault_of(reply.error());
        // It will not be shorter the next time.
        if (reply.error().kind == OutboundError::Kind::too_large) fault.kind = RemoteFault::Kind::permanent;
    } else if (reply->status == 200) {
        auto body = Json::parse(reply->body, nullptr, false);
        if (body.is_structured()) return body;
        wire_.blame(fault.words);
    } else {
        fault = refusal(*reply);
    }
    if (fault.kind == RemoteFault::Kind::in_doubt) fault.kind = RemoteFault::Kind::later;
    return fault;
}

Remote<Json> JsonClient::ask(std::string_view action, const std::string& path) { return read(action, {"GET", root_ + path, headers_, ""}); }

Remote<Json> JsonClient::ask(std::string_view action, const std::string& path, const Json& question) {
    OutboundRequest request{"POST", root_ + path, headers_, question.dump(-1, ' ', false, Json::error_handler_t::replace)};
    request.headers.emplace_back("Content-Type: application/json");
    return read(action, request);
}

Remote<Json> JsonClient::write(std::string_view action, const std::string& method, const std::string& path, const Json& body,
                               const std::vector<std::string>& headers) {
    OutboundRequest request{method, root_ + path, headers_, body.dump(-1, ' ', false, Json::error_handler_t::replace)};
    request.headers.emplace_back("Content-Type: application/json");
    request.headers.insert(request.headers.end(), headers.begin(), headers.end());
    const auto reply = send(action, request);
    if (!reply) return fault_of(reply.error());
    if (reply->status >= 200 && reply->status < 300) return Json::parse(reply->body, nullptr, false);
    return refusal(*reply);
}

RemoteFault of_no_ticket(RemoteFault fault) {
    if (fault.kind == RemoteFault::Kind::gone) fault.kind = RemoteFault::Kind::permanent;
    return fault;
}

}  // namespace catenary::server::tickets
