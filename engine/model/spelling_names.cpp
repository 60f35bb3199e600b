#include "engine/model/ascii.hpp"
#include "engine/model/spelling.hpp"

#include <algorithm>

namespace catenary::engine::spelling {
namespace {

std::string_view without_trailing_dots(std::string_view name) {
    while (name.ends_with('.')) name.remove_suffix(1);
    return name;
}

/// The address inside `Display Name <address>`, "<address>", "mailto:address" and Exchange's "SMTP:address".
std::string_view bare_address(std::string_view text) {
    for (;;) {  // until nothing more comes off, so that a second pass changes nothing
        const auto before = text;
        text = trimmed(text);
        if (text.ends_with('>')) {
            const auto open = text.rfind('<');
            if (open != std::string_view::npos) text = text.substr(open + 1, text.size() - open - 2);
        }
        if (starts_with_folded(text, "mailto:")) text.remove_prefix(7);
        if (starts_with_folded(text, "smtp:")) text.remove_prefix(5);
        text = without_trailing_dots(text);
        if (text == before) return text;
    }
}

/// Folded, with what an account's other spellings are told by; one pass, as nearly every signal names an account.
struct FoldedAccount {
    std::string text;
    unsigned slashes = 0;
    unsigned backslashes = 0;
    unsigned ats = 0;
    unsigned colons = 0;

    explicit FoldedAccount(std::string_view given) : text(given) {
        for (char& letter : text) {
            slashes += letter == '/';
            backslashes += letter == '\\';
            ats += letter == '@';
            colons += letter == ':';
            letter = ascii_lower(letter);
        }
    }
    bool is_settled() const { return slashes == 0 && (backslashes == 0 || (backslashes == 1 && text.front() != '\\')) && (ats == 0 || text.back() != '.'); }
    /// A single slash that can only be the separator of DOMAIN/user: no other punctuation of names, URLs, services and resource ids.
    bool is_domain_slash_user() const { return slashes == 1 && backslashes + ats + colons == 0 && text.front() != '/' && text.back() != '/'; }
};

}  // namespace

std::string account(std::string_view text) {
    return settled(text, [](std::string_view given) {
        FoldedAccount account{given};
        std::string& folded = account.text;
        if (account.is_settled()) return std::move(folded);
        if (account.is_domain_slash_user()) std::replace(folded.begin(), folded.end(), '/', '\\');
        // Escaped twice on its way: "corp\\alice".
        const auto repeated = [](char left, char right) { return left == '\\' && right == '\\'; };
        folded.erase(std::unique(folded.begin(), folded.end(), repeated), folded.end());
        if (folded.size() > 1 && folded.front() == '\\') folded.erase(0, 1);
        if (account.ats > 0) folded.resize(without_trailing_dots(folded).size());
        return std::string(trimmed(folded));
    });
}

std::string mailbox(std::string_view text) { return ascii_lower(bare_address(text)); }

std::string domain(std::string_view text) {
    return settled(text, [](std::string_view given) { return ascii_lower(trimmed(without_trailing_dots(given))); });
}

std::string host(std::string_view text) {
    return settled(text, [](std::string_view given) {
        while (given.starts_with('\\')) given.remove_prefix(1);  // \\SERVER
        given = trimmed(without_trailing_dots(given));
        return ascii_lower(given.find(':') == std::string_view::npos ? std::string(given) : ip(given));
    });
}

}  // namespace catenary::engine::spelling
