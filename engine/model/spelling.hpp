#pragma once

#include <string>
#include <string_view>
#include <utility>

// One function a kind: what canonical() writes for it. Each is idempotent and takes text without outer white space.

namespace catenary::engine::spelling {

/// Applies `once` until nothing changes; a text that is canonical already costs one pass. Each pass must shorten the text or move it towards a fixed form.
template <class F>
std::string settled(std::string_view text, F once) {
    std::string current = once(text);
    if (current == text) return current;
    for (;;) {
        std::string next = once(current);
        if (next == current) return current;
        current = std::move(next);
    }
}

std::string account(std::string_view text);
std::string mailbox(std::string_view text);
std::string host(std::string_view text);
std::string domain(std::string_view text);
/// Text that is no address is returned as it is.
std::string ip(std::string_view text);
std::string url(std::string_view text);
std::string file(std::string_view text);
std::string process(std::string_view text);
std::string cloud_resource(std::string_view text);

/// Whether the text is written as paths are on Windows: a drive, a share, or a backslash anywhere.
bool is_windows_path(std::string_view text);
/// 32, 40, 56, 64, 96 or 128 hexadecimal digits: MD5, SHA-1, SHA-224 … SHA-512.
bool is_hash(std::string_view text);
/// The host of "scheme://user@host:port/path" without brackets; empty when there is no scheme.
std::string_view url_host(std::string_view text);

}  // namespace catenary::engine::spelling
