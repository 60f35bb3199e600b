#pragma once

#include "tests/server/tickets/fake_system.hpp"

namespace catenary::tests {

/// Answers as the description of ServiceNow's Table API says: values are texts, a field that there is not is dropped with 201, a condition on a column that
/// there is not is ignored, a data policy refuses to resolve without close code and notes with 403, texts come back with other line ends. States: 1 new,
/// 2 in progress, 6 resolved, 8 cancelled.
class FakeServiceNow final : public FakeSystem {
public:
    FakeServiceNow() : site_{[this](const SiteRequest& request) { return respond(request); }} {}

    nlohmann::json connector() const override;
    std::string word_for(const std::string& status) const override { return status == "active" ? "2" : status == "closed" ? "6" : "1"; }
    std::string rejected() const override { return "8"; }
    std::string url() const { return site_.url(); }
    /// The table has no correlation_id any more: what is written to it is dropped, and who asks for it gets everything.
    void lose_column();
    /// A field that is dropped without a word.
    void drop(const std::string& field);
    /// Who set a state last may not be asked.
    void hide_history();
    std::string account() const override { return "catenary"; }
    void say(int id, const std::string& who, const std::string& words) override;
    /// Written `ago` ticks of the clock before now, and shown only now.
    void say_late(int id, const std::string& who, const std::string& words, int ago);
    /// By a parent, or a note of ours that names its number.
    bool tied(int id, int other) const override;
    void forbid_ties(bool forbids) override;
    /// The journal is empty for this account, or refused.
    enum class Journal { shown, empty, refused };
    void hide_journal(Journal how);
    /// The record shows nothing of its notes either.
    void hide_notes();
    /// Somebody sets a parent.
    void set_parent(int id, int parent);
    int parent_of(int id) const;
    /// A record that is nobody's of us.
    void add_foreign(int id);
    void use_table(const std::string& table);

private:
    std::string sort_of(const SiteRequest& request) const override;
    SiteAnswer answer(const SiteRequest& request) override;
    SiteAnswer list(const SiteRequest& request) const;
    /// Takes over what a record says; what the data policy says otherwise, "" when nothing.
    std::string take(Ticket& ticket, const nlohmann::json& record);
    nlohmann::json shown(int id, const Ticket& ticket) const;
    SiteAnswer journal(const SiteRequest& request) const;
    /// A record with its notes as people see them.
    nlohmann::json displayed(int id, const Ticket& ticket) const;

    bool has_column_ = true, tells_history_ = true;
    std::string dropped_, table_ = "incident";
    bool forbids_ties_ = false, shows_notes_ = true;
    Journal journal_ = Journal::shown;
    int next_entry_ = 1;
    HttpSite site_;  // last: it uses the others
};

}  // namespace catenary::tests
