#pragma once

#include "tests/support/http_site.hpp"

#include <nlohmann/json.hpp>

#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace catenary::tests {

/// What happens to a request besides being answered.
struct Fate {
    enum class Kind {
        refused,  ///< gets this answer and is not carried out
        lost,     ///< is carried out, and its reply is lost
        failed,   ///< is carried out, and gets this answer
        dropped,  ///< is answered as if carried out, and is not
    };
    Kind kind = Kind::lost;
    SiteAnswer answer{};
};
Fate refused(int status, std::string body = "", std::vector<std::string> headers = {});
Fate failed(int status, std::string body = "");
inline const Fate lost{};

/// A ticket system on loopback that answers as its interface is described, and misbehaves on demand. Its tickets are numbered from 1.
class FakeSystem {
public:
    /// What somebody wrote on a ticket.
    struct Said {
        int id;
        std::string who, words;
        int at;               ///< on the clock of the fake
        bool hidden = false;  ///< from most
    };
    struct Ticket {
        std::string title, body, marker, status, priority;
        int changed = 0;   ///< on the clock of the fake, which ticks with every change
        bool ours = true;  ///< who changed the state last
        bool deleted = false;
        std::vector<std::string> notes;  ///< of ours
        std::map<std::string, std::string> more;
        std::vector<Said> said = {};            ///< where notes have authors
        std::map<int, std::string> links = {};  ///< to others, where there are links
    };

    virtual ~FakeSystem() = default;
    /// The body of PUT /connectors/{name}.
    virtual nlohmann::json connector() const = 0;
    /// The ticket system's word for an incident's status, as `connector` maps it.
    virtual std::string word_for(const std::string& status) const = 0;
    /// Another closed state, and what a closing with it means to `connector`.
    virtual std::string rejected() const = 0;
    /// Who we are there, in what is said.
    virtual std::string account() const = 0;
    /// Somebody writes a note on a ticket.
    virtual void say(int id, const std::string& who, const std::string& words) = 0;
    /// Whether the ticket names the other one, by whatever the system has for that.
    virtual bool tied(int id, int other) const = 0;
    /// Ties are refused, or taken again.
    virtual void forbid_ties(bool forbids) = 0;

    std::map<int, Ticket> tickets() const;
    std::vector<int> carrying(const std::string& marker_end) const;
    /// As somebody there would.
    void set_status(int id, const std::string& status);
    void remove(int id);
    /// The same ticket twice, as the system takes it.
    void copy(int id);
    /// What becomes of the next requests of a sort: "create", "change", "note", "find", "read", "poll", "test" …
    void plan(const std::string& sort, std::vector<Fate> fates);
    std::vector<std::string> sorts() const;  ///< of what was asked so far

protected:
    virtual std::string sort_of(const SiteRequest& request) const = 0;
    /// A person has set the state of a ticket that was in another one. With the lock held.
    virtual void note_status(int, const std::string&) {}
    /// With the lock held. A request that is `dropped` is answered over a copy of the tickets.
    virtual SiteAnswer answer(const SiteRequest& request) = 0;
    SiteAnswer respond(const SiteRequest& request);
    /// "2026-03-05T00:00:07Z"
    static std::string time_of(int clock);
    /// Decoded parameter of the target's query, "" when there is none.
    static std::string parameter(const SiteRequest& request, const std::string& name);
    static std::string path_of(const SiteRequest& request);

    mutable std::mutex mutex_;
    std::map<int, Ticket> tickets_;
    int clock_ = 0;

private:
    std::map<std::string, std::deque<Fate>> fates_;
    std::vector<std::string> sorts_;
};

}  // namespace catenary::tests
