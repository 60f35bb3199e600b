#pragma once

#include "tests/server/tickets/fake_system.hpp"

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace catenary::tests {

/// Answers as Request Tracker 5.0.3 was seen to: takes the same ticket twice, drops a custom field that it does not know with 201, answers 200 and a sentence
/// to a state that there is not, 412 to a stale If-Match; searches do not find what was deleted; a reply opens what is closed.
class FakeRequestTracker final : public FakeSystem {
public:
    FakeRequestTracker() : site_{[this](const SiteRequest& request) { return respond(request); }} {}

    nlohmann::json connector() const override;
    std::string word_for(const std::string& status) const override;
    std::string rejected() const override { return "rejected"; }
    std::string url() const { return site_.url(); }
    /// The queue loses its field: what is written to it is dropped without a word.
    void lose_field();
    /// Somebody changes the priority between the next read of a ticket and what follows.
    void meddle(int times);
    std::string account() const override { return "correlator"; }
    /// A person replies.
    void say(int id, const std::string& who, const std::string& words) override { reply(id, who, words, "text/plain"); }
    void reply(int id, const std::string& who, const std::string& words, const std::string& type);
    bool tied(int id, int other) const override { return linked(id).contains(other); }
    void forbid_ties(bool forbids) override;
    /// A ticket is somebody's copy.
    void give(int id, const std::string& creator);
    /// The tickets that this one refers to or is referred to by.
    std::set<int> linked(int id) const;

private:
    std::string sort_of(const SiteRequest& request) const override;
    SiteAnswer answer(const SiteRequest& request) override;
    SiteAnswer create(const nlohmann::json& wanted);
    SiteAnswer change(const SiteRequest& request, int id, const nlohmann::json& wanted);
    SiteAnswer list(const SiteRequest& request) const;
    SiteAnswer relate(int id, const nlohmann::json& wanted);
    SiteAnswer history(const SiteRequest& request, int id) const;
    SiteAnswer transactions(const SiteRequest& request) const;
    std::string creator_of(const Ticket& ticket) const;
    void note_status(int id, const std::string& before) override;
    SiteAnswer parts_of(int transaction) const;
    /// What somebody wrote.
    struct Entry {
        int id;
        std::string type, subject, who, words, content_type;
        std::string before = "", after = "";  ///< of a state
    };
    void enter(int id, Entry entry);
    nlohmann::json shown(int id, const Ticket& ticket) const;

    bool has_field_ = true;
    bool forbids_links_ = false;
    int meddling_ = 0;
    int next_entry_ = 2;  ///< 1 is what a ticket was made with
    std::map<int, std::vector<Entry>> entries_;
    std::set<std::pair<int, int>> links_;
    HttpSite site_;  // last: it uses the others
};

}  // namespace catenary::tests
