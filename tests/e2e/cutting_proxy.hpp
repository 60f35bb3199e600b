#pragma once

#include "tests/support/http_site.hpp"

#include <mutex>
#include <random>
#include <string>

namespace catenary::tests {

/// Carries requests to a ticket system, but for a third of them, which it cuts: before they arrive, within them, before their replies, or within those.
class CuttingProxy {
public:
    explicit CuttingProxy(std::string target) : target_{std::move(target)}, site_{[this](const SiteRequest& request) { return carry(request); }} {}
    std::string url() const { return site_.url(); }
    int cuts() const;
    /// It loses nothing any more.
    void heal();

private:
    /// As much of the request as a connection that breaks lets through.
    void carry_half(const SiteRequest& request) const;
    SiteAnswer carry(const SiteRequest& request);
    int draw();

    std::string target_;
    mutable std::mutex mutex_;
    std::mt19937 random_{20260305};
    int cuts_ = 0;
    bool healed_ = false;
    HttpSite site_;
};

}  // namespace catenary::tests
