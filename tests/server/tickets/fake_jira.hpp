#pragma once

#include "tests/server/tickets/fake_system.hpp"

namespace catenary::tests {

/// Answers as the description of Jira Cloud's REST API, version 3, says: text is ADF, states change by transitions, a remote link is an upsert by its globalId,
/// `search/jql` shows what was written some requests later, bulkfetch at once. States: To Do, In Progress, Done; a closing has a resolution.
class FakeJira final : public FakeSystem {
public:
    FakeJira() : site_{[this](const SiteRequest& request) { return respond(request); }} {}

    nlohmann::json connector() const override;
    std::string word_for(const std::string& status) const override;
    std::string rejected() const override { return "Done"; }
    std::string url() const { return site_.url(); }
    std::string account() const override { return "us"; }
    void say(int id, const std::string& who, const std::string& words) override;
    /// Written `ago` ticks of the clock before now, and shown only now; or hidden from most.
    void say_late(int id, const std::string& who, const std::string& words, int ago, bool hidden = false);
    bool tied(int id, int other) const override { return tickets().at(id).links.contains(other); }
    void forbid_ties(bool forbids) override;
    /// The types of links that the site has; {"Blocks", "Duplicate", "Relates"} at first.
    void have_types(std::vector<std::string> types);
    /// The search shows what was written only after so many further searches.
    void lag(int searches);
    /// The screen has no labels, or properties are dropped, without a word.
    void drop(const std::string& what);
    /// No transition leads to this category any more.
    void bar(const std::string& category);
    void remove_label(int id);

private:
    std::string sort_of(const SiteRequest& request) const override;
    SiteAnswer answer(const SiteRequest& request) override;
    SiteAnswer create(const nlohmann::json& wanted);
    SiteAnswer change(Ticket& ticket, const nlohmann::json& wanted);
    SiteAnswer search(const nlohmann::json& question);
    SiteAnswer fetch(const nlohmann::json& question) const;
    SiteAnswer link(const nlohmann::json& wanted);
    SiteAnswer comments(const SiteRequest& request, const Ticket& ticket) const;
    SiteAnswer of_issue(const SiteRequest& request, int id, const std::string& what, const nlohmann::json& body);
    void take(Ticket& ticket, const nlohmann::json& wanted);
    nlohmann::json shown(int id, const Ticket& ticket) const;

    std::map<int, Ticket> indexed_;  ///< what the search knows
    int lag_ = 0, searches_until_ = 0;
    std::string dropped_, barred_;
    int next_comment_ = 900;  ///< ids grow by banks: not with time
    bool forbids_ties_ = false;
    std::vector<std::string> types_{"Blocks", "Duplicate", "Relates"};
    HttpSite site_;  // last: it uses the others
};

}  // namespace catenary::tests
