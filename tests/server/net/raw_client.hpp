#pragma once

#include <chrono>
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
    /// Whether all of it could be sent with the server taking some of it at least every `patience`.
    bool send_within(std::string_view bytes, std::chrono::milliseconds patience);
    /// Waits until the server sends something or ends the connection; false when neither happens.
    bool hears_within(std::chrono::milliseconds patience) const;
    /// Reads up to `most` bytes of whatever comes and forgets them; false at the end of the connection.
    bool swallow(std::size_t most);
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
