#pragma once

#include "tests/support/http_site.hpp"

#include <mutex>
#include <random>
#include <string>

namespace catenary::tests {

/// Carries requests to a ticket system, but for those that it loses, a quarter of them: on their way there, before their replies, or within those.
class CuttingProxy {
public:
    explicit CuttingProxy(std::string target) : target_{std::move(target)}, site_{[this](const SiteRequest& request) { return carry(request); }} {}
    std::string url() const { return site_.url(); }
    int cuts() const;
    /// It loses nothing any more.
    void heal();

private:
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
