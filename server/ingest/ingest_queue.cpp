#include "server/ingest/ingest_queue.hpp"

#include <utility>

namespace catenary::server {

std::optional<WaitingRequest> IngestQueue::put(WaitingRequest request) {
    const auto items = request.batch->signals.size();
    const std::lock_guard lock{mutex_};
    if (closed_ || items_ + items > most_items_ || bytes_ + request.bytes > most_bytes_) return request;
    items_ += items;
    bytes_ += request.bytes;
    waiting_.push_back(std::move(request));
    changed_.notify_one();
    return std::nullopt;
}

std::vector<WaitingRequest> IngestQueue::take(std::size_t items, std::size_t enough, std::chrono::milliseconds linger,
                                              std::chrono::steady_clock::time_point deadline) {
    std::unique_lock lock{mutex_};
    std::vector<WaitingRequest> taken;
    if (!pace_.wait_until(lock, changed_, deadline, [&] { return !waiting_.empty() || closed_; })) return taken;
    if (linger.count() > 0) pace_.wait_until(lock, changed_, pace_.now() + linger, [&] { return items_ >= enough || closed_; });
    std::size_t count = 0;
    while (!waiting_.empty()) {
        const auto more = waiting_.front().batch->signals.size();
        if (!taken.empty() && count + more > items) break;
        count += more;
        items_ -= more;
        bytes_ -= waiting_.front().bytes;
        taken.push_back(std::move(waiting_.front()));
        waiting_.pop_front();
    }
    return taken;
}

void IngestQueue::close() {
    const std::lock_guard lock{mutex_};
    closed_ = true;
    changed_.notify_all();
}

bool IngestQueue::closed() const {
    const std::lock_guard lock{mutex_};
    return closed_;
}

IngestQueue::Depth IngestQueue::depth() const {
    const std::lock_guard lock{mutex_};
    return {items_, bytes_};
}

}  // namespace catenary::server
