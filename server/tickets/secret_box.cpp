#include "server/tickets/secret_box.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <stdexcept>
#include <system_error>

namespace catenary::server::tickets {
namespace {

constexpr std::size_t nonce_bytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t tag_bytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
static_assert(std::tuple_size_v<SecretBox::Key> == crypto_aead_xchacha20poly1305_ietf_KEYBYTES);

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }
unsigned char* bytes_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

std::string bound_to(engine::TenantId tenant, std::string_view connector) { return fmt::format("connector {} {}", tenant.value(), connector); }

[[noreturn]] void refuse(const std::filesystem::path& file, std::string_view why) {
    throw std::runtime_error(fmt::format("the key of connectors' secrets, {}: {}", file.string(), why));
}

std::string hexadecimal(const SecretBox::Key& key) {
    std::string text(key.size() * 2 + 1, '\0');
    sodium_bin2hex(text.data(), text.size(), key.data(), key.size());
    text.back() = '\n';
    return text;
}

/// False when somebody else has made it meanwhile.
bool make(const std::filesystem::path& file) {
    SecretBox::Key key{};
    randombytes_buf(key.data(), key.size());
    const auto text = hexadecimal(key);
    const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (descriptor < 0 && errno == EEXIST) return false;
    if (descriptor < 0) refuse(file, std::generic_category().message(errno));
    const bool written = ::write(descriptor, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && ::fsync(descriptor) == 0;
    if (::close(descriptor) != 0 || !written) {
        ::unlink(file.c_str());
        refuse(file, "cannot be written");
    }
    return true;
}

}  // namespace

SecretBox::~SecretBox() { sodium_memzero(key_.data(), key_.size()); }

SecretBox::Key SecretBox::key_in(const std::filesystem::path& file) {
    if (sodium_init() < 0) refuse(file, "no random numbers");
    if (!std::filesystem::exists(file)) make(file);
    std::ifstream in{file};
    std::string text;
    if (!in || !std::getline(in, text)) refuse(file, "cannot be read");
    Key key{};
    std::size_t length = 0;
    const char* end = nullptr;
    const int read = sodium_hex2bin(key.data(), key.size(), text.data(), text.size(), nullptr, &length, &end);
    if (read != 0 || length != key.size() || end != text.data() + text.size()) refuse(file, "must be 64 hexadecimal digits");
    return key;
}

std::string SecretBox::seal(engine::TenantId tenant, std::string_view connector, std::string_view text) const {
    std::string sealed(nonce_bytes + text.size() + tag_bytes, '\0');
    randombytes_buf(sealed.data(), nonce_bytes);
    const auto bound = bound_to(tenant, connector);
    crypto_aead_xchacha20poly1305_ietf_encrypt(bytes_of(sealed) + nonce_bytes, nullptr, bytes_of(text), text.size(), bytes_of(std::string_view{bound}),
                                               bound.size(), nullptr, bytes_of(std::string_view{sealed}), key_.data());
    return sealed;
}

std::optional<std::string> SecretBox::open(engine::TenantId tenant, std::string_view connector, std::string_view sealed) const {
    if (sealed.size() < nonce_bytes + tag_bytes) return std::nullopt;
    std::string text(sealed.size() - nonce_bytes - tag_bytes, '\0');
    const auto bound = bound_to(tenant, connector);
    const int opened = crypto_aead_xchacha20poly1305_ietf_decrypt(bytes_of(text), nullptr, nullptr, bytes_of(sealed) + nonce_bytes, sealed.size() - nonce_bytes,
                                                                  bytes_of(std::string_view{bound}), bound.size(), bytes_of(sealed), key_.data());
    if (opened != 0) return std::nullopt;
    return text;
}

}  // namespace catenary::server::tickets
