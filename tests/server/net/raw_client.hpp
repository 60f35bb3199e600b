#pragma once

#include <map>
#include <string>
#include <string_view>

namespace catenary::tests {

/// One reply as it came over the wire.
struct RawReply {
    int status = 0;                             ///< 0: the connection ended before a whole reply
    std::map<std::string, std::string> fields;  ///< names in lower case
    std::string body;
};

/// A TCP client that sends exactly what it is told. Waits at most ten seconds for anything.
class RawClient {
public:
    enum class Method { other, head };
    /// `where`: "127.0.0.1:port".
    explicit RawClient(const std::string& where);
    ~RawClient();
    RawClient(const RawClient&) = delete;
    RawClient& operator=(const RawClient&) = delete;

    /// Whether all of it could be sent.
    bool send(std::string_view bytes);
    /// The next reply; of a HEAD request, without waiting for a body.
    RawReply read_reply(Method method = Method::other);
    /// Waits for the server to end the connection; false when it sends anything instead or stays silent.
    bool ends();

private:
    bool fill();
    int socket_;
    std::string input_;
};

}  // namespace catenary::tests
