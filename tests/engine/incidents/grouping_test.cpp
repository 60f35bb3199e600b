#include "engine/incidents/grouping.hpp"
#include "tests/support/seeds.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

using namespace catenary::engine;
using namespace std::chrono_literals;

namespace {

FindingId id_of(std::uint32_t number) {
    boost::uuids::uuid uuid{};
    uuid.data[15] = static_cast<std::uint8_t>(number);
    uuid.data[14] = static_cast<std::uint8_t>(number >> 8U);
    return FindingId{uuid};
}
Timestamp day(int n) { return Timestamp{std::chrono::days{n}}; }

/// A finding of the model: where it stands and which signals are its evidence.
struct Item {
    FindingOrder order;
    Timestamp end;
    std::set<int> evidence;
    std::optional<HandGroup> hand = {};
    std::string pattern = "p";
};
using Model = std::map<FindingIndex, Item>;
using Partition = std::set<std::set<FindingIndex>>;

bool share(const Item& left, const Item& right) {
    return std::any_of(left.evidence.begin(), left.evidence.end(), [&](int signal) { return right.evidence.contains(signal); });
}

using Places = std::set<std::pair<std::string, FindingOrder>>;
std::pair<std::string, std::int64_t> day_of(const std::string& pattern, Timestamp start) {
    return {pattern, std::chrono::floor<std::chrono::days>(start).time_since_epoch().count()};
}

struct Days {
    std::size_t limit = 10'000;
    Places retired;  // what opened a group and is gone, and counts
};

/// The definition, read literally. `openers`: told of what opens a group, or would.
Partition expected_partition(const Model& model, Duration max_span, const Days& days = {}, std::set<FindingIndex>* openers = nullptr) {
    std::vector<FindingIndex> sorted;
    for (const auto& [finding, item] : model) sorted.push_back(finding);
    std::sort(sorted.begin(), sorted.end(), [&](auto left, auto right) { return model.at(left).order < model.at(right).order; });
    std::vector<std::vector<FindingIndex>> groups;  // by start, since they are opened in order
    std::map<std::pair<std::string, std::int64_t>, std::size_t> opened;
    std::map<std::pair<std::string, std::int64_t>, std::vector<FindingIndex>> aggregates;
    Places gone = days.retired;
    for (const FindingIndex finding : sorted) {
        const Item& item = model.at(finding);
        for (auto one = gone.begin(); one != gone.end();) {
            const bool is_earlier = one->second < item.order;
            if (is_earlier) ++opened[day_of(one->first, one->second.start)];
            one = is_earlier ? gone.erase(one) : std::next(one);
        }
        const auto placed = [&](auto other) { return model.at(other).hand.has_value(); };
        const auto same_hand = [&](auto other) { return item.hand && model.at(other).hand == item.hand; };
        const auto by_hand = std::find_if(groups.begin(), groups.end(), [&](const auto& group) { return std::any_of(group.begin(), group.end(), same_hand); });
        bool joined = by_hand != groups.end();
        if (joined) by_hand->push_back(finding);
        for (auto group = groups.begin(); group != groups.end() && !joined; ++group) {
            const bool connected = std::any_of(group->begin(), group->end(), [&](auto other) { return share(model.at(other), item); });
            Timestamp end = item.end;
            for (const auto other : *group) {
                if (!placed(other)) end = std::max(end, model.at(other).end);
            }
            if (!connected || end - model.at(group->front()).order.start > max_span) continue;
            if (item.hand && std::any_of(group->begin(), group->end(), placed)) continue;
            group->push_back(finding);
            joined = true;
        }
        if (joined) continue;
        if (openers != nullptr && !item.hand) openers->insert(finding);
        const auto day = day_of(item.pattern, item.order.start);
        if (!item.hand && opened[day]++ >= days.limit) aggregates[day].push_back(finding);
        else groups.push_back({finding});
    }
    Partition partition;
    for (const auto& [day, members] : aggregates) partition.emplace(members.begin(), members.end());
    for (const auto& group : groups) partition.emplace(group.begin(), group.end());
    return partition;
}

/// Feeds a Grouping the way findings do: put, then one connection a shared signal.
struct Subject {
    Grouping grouping;
    Model model;
    std::map<FindingIndex, GroupIndex> placed;  // from the moves alone
    Days days = {};

    void add(FindingIndex finding, Item item) {
        days.retired.erase({item.pattern, item.order});
        grouping.put(finding, item.pattern, item.order, item.end);
        for (const auto& [other, there] : model) connect(finding, item, other, there);
        model.emplace(finding, std::move(item));
    }
    void connect(FindingIndex finding, const Item& item, FindingIndex other, const Item& there) {
        for (const int signal : item.evidence) {
            if (there.evidence.contains(signal)) grouping.connect(finding, other);
        }
    }
    void place(FindingIndex finding, std::optional<HandGroup> hand) {
        model.at(finding).hand = hand;
        grouping.place(finding, hand);
    }
    void remove(FindingIndex finding) {
        grouping.remove(finding);
        model.erase(finding);
    }
    /// Right after `settle`.
    void retire(FindingIndex finding) {
        std::set<FindingIndex> openers;
        expected_partition(model, std::chrono::days{30}, days, &openers);
        grouping.retire(finding);
        if (openers.contains(finding)) days.retired.emplace(model.at(finding).pattern, model.at(finding).order);
        model.erase(finding);
    }
    void release(std::pair<std::string, FindingOrder> place) {  // a copy: it may be one of those that are kept
        days.retired.erase(place);
        grouping.release(place.first, place.second);
    }
    void limit(std::size_t groups) {
        days.limit = groups;
        grouping.change_daily_limit(groups);
    }
    Partition expected() const { return expected_partition(model, std::chrono::days{30}, days); }
    void span(FindingIndex finding, Timestamp start, Timestamp end) {
        Item& item = model.at(finding);
        item.order.start = start;
        item.end = end;
        grouping.put(finding, item.pattern, item.order, item.end);
    }
    void toggle(FindingIndex finding, int signal) {
        Item& item = model.at(finding);
        const bool gains = item.evidence.insert(signal).second;
        if (!gains) item.evidence.erase(signal);
        for (const auto& [other, there] : model) {
            if (other == finding || !there.evidence.contains(signal)) continue;
            if (gains) grouping.connect(finding, other);
            else grouping.disconnect(finding, other);
        }
    }
    void settle() {
        for (const auto& move : grouping.settle()) {
            if (move.from) {
                REQUIRE(placed.contains(move.finding));
                CHECK(placed.at(move.finding) == *move.from);
                placed.erase(move.finding);
            }
            if (move.to) placed.emplace(move.finding, *move.to);
        }
    }
    Partition partition() const {
        std::map<GroupIndex, std::set<FindingIndex>> groups;
        for (const auto& [finding, group] : placed) groups[group].insert(finding);
        Partition result;
        for (const auto& [group, members] : groups) result.insert(members);
        return result;
    }
};

Item item(std::uint32_t number, int start, int end, std::set<int> evidence, std::string pattern = "p") {
    return {{day(start), id_of(number)}, day(end), std::move(evidence), {}, std::move(pattern)};
}
constexpr HandGroup hand_one{1};
constexpr HandGroup hand_two{2};
FindingIndex f(std::uint32_t number) { return FindingIndex{number}; }

}  // namespace

TEST_CASE("findings that share evidence are one group, others are not") {
    Subject subject;
    subject.add(f(1), item(1, 0, 1, {1, 2}));
    subject.add(f(2), item(2, 1, 2, {2, 3}));
    subject.add(f(3), item(3, 1, 2, {4}));
    subject.settle();
    CHECK(subject.partition() == Partition{{f(1), f(2)}, {f(3)}});
}

TEST_CASE("a finding that stands between two groups in order makes them one") {
    Subject subject;
    subject.add(f(1), item(1, 0, 2, {1, 2}));
    subject.add(f(3), item(3, 4, 5, {4, 5}));
    subject.settle();
    CHECK(subject.partition().size() == 2);
    subject.add(f(2), item(2, 2, 4, {2, 4}));
    subject.settle();
    CHECK(subject.partition() == Partition{{f(1), f(2), f(3)}});
}

TEST_CASE("a group spans thirty days at most, exactly thirty included") {
    for (const int last : {30, 31}) {
        Subject subject;
        subject.add(f(1), item(1, 0, 10, {1}));
        subject.add(f(2), item(2, 20, last, {1}));
        subject.settle();
        CHECK(subject.partition().size() == (last == 30 ? 1U : 2U));
    }
}

TEST_CASE("a finding that grows beyond thirty days leaves the group, and comes back when it shrinks") {
    Subject subject;
    subject.add(f(1), item(1, 0, 10, {1}));
    subject.add(f(2), item(2, 20, 30, {1}));
    subject.settle();
    subject.span(f(2), day(20), day(31));
    subject.settle();
    CHECK(subject.partition().size() == 2);
    subject.span(f(2), day(20), day(29));
    subject.settle();
    CHECK(subject.partition().size() == 1);
}

TEST_CASE("a finding that begins before the first of its group leads it without moving the others") {
    Subject subject;
    subject.add(f(5), item(5, 10, 12, {1}));
    subject.add(f(6), item(6, 11, 12, {1}));
    subject.settle();
    const GroupIndex group = subject.grouping.group_of(f(6));
    subject.add(f(1), item(1, 9, 12, {1}));
    const auto moves = subject.grouping.settle();
    REQUIRE(moves.size() == 1);
    CHECK(moves.front().finding == f(1));
    CHECK(*moves.front().to == group);
}

TEST_CASE("findings placed in one hand group are together without common evidence and beyond thirty days") {
    Subject subject;
    subject.add(f(1), item(1, 0, 1, {1}));
    subject.add(f(2), item(2, 50, 51, {2}));
    subject.add(f(3), item(3, 51, 52, {2}));  // not placed: follows the evidence, but the group has no room for it
    subject.place(f(1), hand_one);
    subject.place(f(2), hand_one);
    subject.settle();
    CHECK(subject.partition() == Partition{{f(1), f(2)}, {f(3)}});
    subject.place(f(1), std::nullopt);
    subject.settle();
    CHECK(subject.partition() == Partition{{f(1)}, {f(2), f(3)}});
}

TEST_CASE("findings of two hand groups are apart whatever connects them, and later ones join the group that starts first") {
    Subject subject;
    subject.add(f(2), item(2, 1, 2, {1}));
    subject.add(f(3), item(3, 2, 3, {1}));
    subject.place(f(2), hand_one);
    subject.place(f(3), hand_two);
    subject.add(f(4), item(4, 3, 4, {1}));
    subject.settle();
    CHECK(subject.partition() == Partition{{f(2), f(4)}, {f(3)}});
    subject.add(f(1), item(1, 0, 1, {1}));  // before both: the first one follows it, the other one cannot
    subject.settle();
    CHECK(subject.partition() == Partition{{f(1), f(2), f(4)}, {f(3)}});
    subject.remove(f(2));
    subject.settle();
    CHECK(subject.partition() == Partition{{f(1), f(3), f(4)}});
}

TEST_CASE("what a pattern opens on a day beyond the limit is one aggregate, by start and id and not as it came") {
    for (const bool forwards : {true, false}) {
        Subject subject;
        subject.limit(2);
        for (std::uint32_t i = 1; i <= 5; ++i) {
            const auto number = static_cast<int>(forwards ? i : 6 - i);
            subject.add(f(static_cast<std::uint32_t>(number)), item(static_cast<std::uint32_t>(number), 0, 1, {number}));
            subject.settle();
        }
        subject.add(f(6), item(6, 1, 2, {6}));       // of another day
        subject.add(f(7), item(7, 0, 1, {7}, "q"));  // of another pattern
        subject.settle();
        CHECK(subject.partition() == Partition{{f(1)}, {f(2)}, {f(3), f(4), f(5)}, {f(6)}, {f(7)}});
        CHECK(subject.grouping.is_aggregate(subject.grouping.group_of(f(3))));
        CHECK_FALSE(subject.grouping.is_aggregate(subject.grouping.group_of(f(2))));
    }
}

TEST_CASE("evidence leads out of an aggregate, and nobody into it") {
    Subject subject;
    subject.limit(1);
    for (int i = 1; i <= 3; ++i) subject.add(f(static_cast<std::uint32_t>(i)), item(static_cast<std::uint32_t>(i), 0, 1, {i}));
    subject.add(f(4), item(4, 2, 3, {2}));  // beside the aggregate
    subject.settle();
    CHECK(subject.partition() == Partition{{f(1)}, {f(2), f(3)}, {f(4)}});
    subject.toggle(f(3), 1);
    subject.settle();
    CHECK(subject.partition() == Partition{{f(1), f(3)}, {f(2)}, {f(4)}});
    subject.limit(2);
    subject.settle();
    CHECK(subject.partition() == Partition{{f(1), f(3)}, {f(2), f(4)}});
}

TEST_CASE("a place among the first of a day is taken when one is superseded, and kept when one is closed") {
    Subject subject;
    subject.limit(2);
    for (int i = 1; i <= 5; ++i) subject.add(f(static_cast<std::uint32_t>(i)), item(static_cast<std::uint32_t>(i), 0, 1, {i}));
    subject.settle();
    subject.retire(f(1));
    subject.settle();
    CHECK(subject.partition() == Partition{{f(2)}, {f(3), f(4), f(5)}});
    subject.remove(f(2));
    subject.settle();
    CHECK(subject.partition() == Partition{{f(3)}, {f(4), f(5)}});
    subject.release({"p", {day(0), id_of(1)}});
    subject.settle();
    CHECK(subject.partition() == Partition{{f(3)}, {f(4)}, {f(5)}});
    subject.retire(f(3));
    subject.grouping.forget_days(day(1));
    subject.settle();
    CHECK(subject.partition() == Partition{{f(4)}, {f(5)}});  // somebody is left
    subject.retire(f(4));
    subject.retire(f(5));
    subject.settle();
    CHECK(subject.grouping.bytes() > 0);
    subject.grouping.forget_days(day(1));
    CHECK(subject.grouping.bytes() == 0);
}

TEST_CASE("property: the kept partition is the one the definition gives, whatever changed before") {
    for (const auto seed : catenary::tests::seeds(0, 3000)) {
        CAPTURE(seed);
        std::mt19937 random{seed};
        const auto pick = [&](int low, int high) { return low + static_cast<int>(random() % static_cast<unsigned>(high - low + 1)); };
        const int signals = pick(2, 14);
        const int days = pick(3, 90);
        const int hands = seed % 2 == 0 ? 0 : pick(1, 4);
        const int patterns = pick(1, 2);
        Subject subject;
        if (seed % 3 != 0) subject.limit(static_cast<std::size_t>(pick(1, 4)));
        const int starts = seed % 3 == 1 ? std::min(days, 4) : days;  // the limit bites
        std::uint32_t next = 1;
        for (int step = 0; step < 60; ++step) {
            const int kind = pick(seed % 3 == 0 ? 0 : -2, hands > 0 ? 12 : 9);
            std::vector<FindingIndex> present;
            for (const auto& [finding, unused] : subject.model) present.push_back(finding);
            const auto any = [&] { return present[static_cast<std::size_t>(pick(0, static_cast<int>(present.size()) - 1))]; };
            if (kind == -2) {
                if (pick(0, 3) == 0) subject.limit(static_cast<std::size_t>(pick(1, 4)));
            } else if (kind == -1) {
                if (pick(0, 2) == 0 && !subject.days.retired.empty()) subject.release(*subject.days.retired.begin());
                if (present.empty()) continue;
                subject.settle();
                subject.retire(any());
            } else if (present.empty() || kind <= 3) {
                const int start = pick(0, starts);
                std::set<int> evidence{pick(1, signals)};
                for (int more = pick(0, 2); more > 0; --more) evidence.insert(pick(1, signals));
                const auto number = static_cast<std::uint32_t>(pick(0, 60'000));
                const FindingIndex index{next++};
                if (std::any_of(present.begin(), present.end(), [&](auto p) { return subject.model.at(p).order.id == id_of(number); })) continue;
                subject.add(index, item(number, start, start + pick(0, 14), evidence, pick(1, patterns) == 1 ? "p" : "q"));
            } else if (kind <= 5) {
                const FindingIndex finding = any();
                const int start = pick(0, starts);
                subject.span(finding, day(start), day(start + pick(0, 14)));
            } else if (kind <= 8) {
                subject.toggle(any(), pick(1, signals));
            } else if (kind == 9) {
                subject.remove(any());
            } else {
                subject.place(any(), pick(0, 4) == 0 ? std::nullopt : std::optional{HandGroup{pick(1, hands)}});
            }
            if (pick(0, 2) == 0) {
                subject.settle();
                REQUIRE(subject.partition() == subject.expected());
            }
        }
        subject.settle();
        REQUIRE(subject.partition() == subject.expected());
    }
}
