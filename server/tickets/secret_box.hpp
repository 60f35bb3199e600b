#pragma once

#include "engine/model/ids.hpp"

#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace catenary::server::tickets {

/// Seals what connectors show to ticket systems (XChaCha20-Poly1305), bound to tenant and connector: a row that was moved does not open. The key stands in a
/// file that the database does not have: whoever gets only the database gets no secret. Any thread.
class SecretBox {
public:
    using Key = std::array<unsigned char, 32>;
    explicit SecretBox(const Key& key) : key_{key} {}
    ~SecretBox();  // wipes the key
    SecretBox(const SecretBox&) = delete;
    SecretBox& operator=(const SecretBox&) = delete;

    /// The key in `file`, 64 hexadecimal digits; made there, for its owner only, when there is no such file. Throws std::runtime_error.
    static Key key_in(const std::filesystem::path& file);

    std::string seal(engine::TenantId tenant, std::string_view connector, std::string_view text) const;
    /// Empty when it was sealed under another key or for another row, or is damaged.
    std::optional<std::string> open(engine::TenantId tenant, std::string_view connector, std::string_view sealed) const;

private:
    Key key_;
};

}  // namespace catenary::server::tickets
