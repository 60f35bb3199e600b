#pragma once

#include "api/http/request.hpp"

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

#include <string_view>

namespace catenary::server::net {

enum class AfterReply { keep_alive, close };
enum class ReplyPart { head, whole };  ///< HEAD is answered with the head alone

using Reply = boost::beast::http::response<boost::beast::http::string_body>;

/// A handler's response with what every reply carries: date, request id, length, no caching unless the handler says otherwise.
/// A field of the handler's whose value holds a control byte is left out: it would end the field early.
Reply make_reply(api::http::Response&& response, std::string_view request_id, AfterReply after);

/// The interim reply that asks for the body.
Reply continue_reply();

}  // namespace catenary::server::net
