#pragma once

#include "tests/support/http_site.hpp"

#include <nlohmann/json.hpp>

#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace catenary::tests {

/// Answers as Redmine 5.0 was seen to: takes the same issue twice, answers 204 to a status that there is not and changes nothing, ignores a filter that it
/// does not know. Statuses 5 and 6 are closed. Two issues are related once; a second time is refused, whichever end asks.
class FakeRedmine {
public:
    FakeRedmine();

    struct Issue {
        std::string subject, description, marker;
        int status = 1, priority = 2, updated = 0, author = 7;
        std::vector<std::string> notes;  ///< ours
        struct Journal {
            int id = 0;
            std::string author, text;
            bool is_private = false;
            bool sets_status = false;
        };
        std::vector<Journal> journals;  ///< of everybody
        std::set<int> relations;        ///< to issues, seen from either end
    };
    std::map<int, Issue> issues() const;
    /// As somebody there would.
    void set_status(int id, int status);
    /// By whom the issue was made, as it says.
    void set_author(int id, int user);
    void remove(int id);
    void say(int id, const std::string& author, const std::string& text, bool is_private = false);

    std::string url() const { return site_.url(); }
    std::vector<SiteRequest> requests() const { return site_.requests(); }
    /// The next so many requests of this method are carried out, but their replies are lost.
    void lose_replies(const std::string& method, int count);
    /// The next so many requests of this method get this answer and nothing else.
    void refuse(const std::string& method, int count, SiteAnswer answer);
    void ignore_filters(bool ignored);
    /// The account has no right to relate issues.
    void forbid_relations(bool forbidden);
    /// Requests that are carried out wait for their replies until this ends.
    void hold_replies(bool held);

private:
    SiteAnswer answer(const SiteRequest& request);
    SiteAnswer carry_out(const SiteRequest& request);
    SiteAnswer relate(int id, const nlohmann::json& wanted);
    SiteAnswer show(int id, const std::string& target) const;
    SiteAnswer list(const std::string& target) const;
    SiteAnswer create(const nlohmann::json& wanted);
    SiteAnswer update(int id, const nlohmann::json& wanted);
    nlohmann::json shown(int id, const Issue& issue) const;

    mutable std::mutex mutex_;
    std::map<int, Issue> issues_;
    int next_ = 1, clock_ = 0;
    std::map<std::string, int> lost_;
    std::map<std::string, std::pair<int, SiteAnswer>> refused_;
    bool filters_ignored_ = false, relations_forbidden_ = false;
    int next_journal_ = 1;
    std::atomic<bool> held_ = false;
    HttpSite site_;
};

}  // namespace catenary::tests
