#include "server/pg/sealed_reply.hpp"

#include <sodium.h>
#include <nlohmann/json.hpp>

#include <array>
#include <utility>

namespace catenary::server::pg {
namespace {

using Json = nlohmann::json;
using Key = std::array<unsigned char, crypto_secretbox_KEYBYTES>;

constexpr std::string_view purpose = "remembered replies";
constexpr std::size_t nonce_bytes = crypto_secretbox_NONCEBYTES;
constexpr std::size_t tag_bytes = crypto_secretbox_MACBYTES;

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }
unsigned char* bytes_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

Key key_from(std::string_view secret) {
    Key key{};
    crypto_generichash(key.data(), key.size(), bytes_of(secret), secret.size(), bytes_of(purpose), purpose.size());
    return key;
}

}  // namespace

std::string seal_reply(const api::http::Response& reply, std::string_view secret) {
    Json headers = Json::array();
    for (const auto& [name, value] : reply.headers) headers.push_back({name, value});
    const auto plain = Json{{"status", reply.status}, {"type", reply.content_type}, {"headers", headers}, {"body", reply.body}}.dump(
        -1, ' ', false, Json::error_handler_t::replace);
    std::string sealed(nonce_bytes + tag_bytes + plain.size(), '\0');
    randombytes_buf(sealed.data(), nonce_bytes);
    const auto key = key_from(secret);
    crypto_secretbox_easy(bytes_of(sealed) + nonce_bytes, bytes_of(std::string_view{plain}), plain.size(), bytes_of(sealed), key.data());
    return sealed;
}

std::optional<api::http::Response> open_reply(std::string_view sealed, std::string_view secret) {
    if (sealed.size() < nonce_bytes + tag_bytes) return std::nullopt;
    std::string plain(sealed.size() - nonce_bytes - tag_bytes, '\0');
    const auto key = key_from(secret);
    const auto* box = bytes_of(sealed) + nonce_bytes;
    if (crypto_secretbox_open_easy(bytes_of(plain), box, sealed.size() - nonce_bytes, bytes_of(sealed), key.data()) != 0) return std::nullopt;
    const auto read = Json::parse(plain, nullptr, false);  // authentic, so it is what seal_reply() wrote
    api::http::Response reply;
    reply.status = read.at("status").get<int>();
    reply.content_type = read.at("type").get<std::string>();
    for (const auto& header : read.at("headers")) reply.headers.emplace_back(header.at(0).get<std::string>(), header.at(1).get<std::string>());
    reply.body = read.at("body").get<std::string>();
    return reply;
}

}  // namespace catenary::server::pg
