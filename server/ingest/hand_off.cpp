#include "server/ingest/hand_off.hpp"

#include <utility>

namespace catenary::server {

void HandOff::expect() {
    const std::lock_guard lock{mutex_};
    expected_since_ = pace_.now();
}

void HandOff::dismiss() {
    const std::lock_guard lock{mutex_};
    expected_since_.reset();
}

bool HandOff::idle() const {
    const std::lock_guard lock{mutex_};
    return groups_.empty() && (!expected_since_ || pace_.now() - *expected_since_ > expectation);
}

bool HandOff::offer(CommittedGroup group, std::chrono::milliseconds patience) {
    std::unique_lock lock{mutex_};
    // A group larger than the whole capacity still goes through an empty queue.
    const auto has_room = [&] { return !open_ || groups_.empty() || (!has_gap_ && bytes_ + group.bytes <= capacity_); };
    pace_.wait_until(lock, changed_, pace_.now() + patience, [&] { return is_excused() || has_room(); });
    expected_since_.reset();
    has_gap_ = open_ && !has_room();
    if (has_gap_ || !open_) return false;
    bytes_ += group.bytes;
    groups_.push_back(std::move(group));
    changed_.notify_all();
    return true;
}

std::optional<CommittedGroup> HandOff::take(std::chrono::steady_clock::time_point deadline) {
    std::unique_lock lock{mutex_};
    pace_.wait_until(lock, changed_, deadline, [&] { return !groups_.empty() || nudged_; });
    nudged_ = false;
    if (groups_.empty()) return std::nullopt;
    CommittedGroup group = std::move(groups_.front());
    groups_.pop_front();
    bytes_ -= group.bytes;
    changed_.notify_all();
    return group;
}

void HandOff::nudge() {
    const std::lock_guard lock{mutex_};
    nudged_ = true;
    changed_.notify_all();
}

void HandOff::close() {
    const std::lock_guard lock{mutex_};
    open_ = false;
    groups_.clear();
    bytes_ = 0;
    changed_.notify_all();
}

void HandOff::open() {
    const std::lock_guard lock{mutex_};
    open_ = true;
}

HandOff::Standing::Standing(HandOff& hand_off) : hand_off_{hand_off}, since_{hand_off.pace_.now()} { hand_off_.stand(Pace::Time::max()); }
HandOff::Standing::~Standing() {
    const auto now = hand_off_.pace_.now();
    hand_off_.stand(now + catching_up * (now - since_));
}

void HandOff::stand(Pace::Time excused_until) {
    const std::lock_guard lock{mutex_};
    excused_until_ = excused_until;
    changed_.notify_all();
}

bool HandOff::is_excused() const { return pace_.now() < excused_until_; }

std::size_t HandOff::bytes() const {
    const std::lock_guard lock{mutex_};
    return bytes_;
}

HandOff::Usage HandOff::usage() const {
    const std::lock_guard lock{mutex_};
    Usage usage{groups_.size(), bytes_, capacity_, std::nullopt};
    if (!groups_.empty()) usage.oldest = groups_.front().received;
    return usage;
}

}  // namespace catenary::server
