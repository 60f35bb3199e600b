#include "tests/oracle/incidents.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <tuple>
#include <utility>

namespace catenary::oracle {
namespace {

struct Group {
    std::vector<const Reported*> members;  ///< the first began it

    bool is_connected_to(const Reported& finding) const {
        return std::any_of(members.begin(), members.end(), [&](const Reported* member) {
            return std::any_of(member->evidence.begin(), member->evidence.end(), [&](const auto& signal) { return finding.evidence.contains(signal); });
        });
    }
    bool has_room_for(const Reported& finding) const {
        engine::Timestamp end = finding.end;
        for (const auto* member : members) end = std::max(end, member->end);
        return end - members.front()->start <= std::chrono::days{30};
    }
};

}  // namespace

std::set<std::set<std::string>> incidents(std::vector<Reported> findings, std::int64_t daily_limit) {
    std::sort(findings.begin(), findings.end(),
              [](const Reported& left, const Reported& right) { return std::tie(left.start, left.id) < std::tie(right.start, right.id); });
    std::vector<Group> groups;  // in the order in which they start
    using Day = std::pair<std::string, std::int64_t>;
    std::map<Day, std::int64_t> opened;
    std::map<Day, Group> aggregates;
    for (const auto& finding : findings) {
        auto group = std::find_if(groups.begin(), groups.end(), [&](const Group& one) { return one.is_connected_to(finding) && one.has_room_for(finding); });
        if (group != groups.end()) {
            group->members.push_back(&finding);
            continue;
        }
        const Day day{finding.pattern, std::chrono::floor<std::chrono::days>(finding.start).time_since_epoch().count()};
        if (++opened[day] > daily_limit) aggregates[day].members.push_back(&finding);
        else groups.push_back({{&finding}});
    }
    for (auto& [day, aggregate] : aggregates) groups.push_back(std::move(aggregate));
    std::set<std::set<std::string>> partition;
    for (const auto& group : groups) {
        std::set<std::string> ids;
        for (const auto* member : group.members) ids.insert(member->id);
        partition.insert(std::move(ids));
    }
    return partition;
}

}  // namespace catenary::oracle
