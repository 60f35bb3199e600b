#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/optional/optional.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

namespace catenary::server::net {

/// A Beast body that is a string with room behind its end for parsers that read in wide steps. Room for the whole length is taken when the first byte
/// is read, and bytes are appended: unlike http::string_body it never writes zeros that the body then replaces.
struct PaddedBody {
    static constexpr std::size_t padding = 64;  ///< what simdjson asks for
    using value_type = std::string;

    class reader {
    public:
        template <bool IsRequest, class Fields>
        reader(boost::beast::http::header<IsRequest, Fields>&, value_type& body) : body_{body} {}

        void init(const boost::optional<std::uint64_t>& length, boost::beast::error_code& error) {
            body_.reserve(static_cast<std::size_t>(length.value_or(0)) + padding);  // the parser has held the length against its limit
            error = {};
        }
        template <class Buffers>
        std::size_t put(const Buffers& buffers, boost::beast::error_code& error) {
            std::size_t taken = 0;
            for (auto part = boost::asio::buffer_sequence_begin(buffers); part != boost::asio::buffer_sequence_end(buffers); ++part) {
                const boost::asio::const_buffer bytes{*part};
                body_.append(static_cast<const char*>(bytes.data()), bytes.size());
                taken += bytes.size();
            }
            error = {};
            return taken;
        }
        void finish(boost::beast::error_code& error) { error = {}; }

    private:
        value_type& body_;
    };
};

}  // namespace catenary::server::net
