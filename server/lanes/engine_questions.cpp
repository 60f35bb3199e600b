#include "server/lanes/engine_questions.hpp"

#include <algorithm>
#include <condition_variable>
#include <utility>

namespace catenary::server {

/// waiting ──▶ being answered ──▶ answered
///    └──────▶ given up
struct EngineQuestions::Waiting {
    enum class State { waiting, being_answered, answered, given_up };
    const Question* question;  // of whoever asks, who stays until it is answered or given up
    State state = State::waiting;
    std::mutex mutex;
    std::condition_variable changed;
};

bool EngineQuestions::ask(const Question& question, std::chrono::milliseconds patience) {
    using State = Waiting::State;
    const auto waiting = std::make_shared<Waiting>();
    waiting->question = &question;
    {
        const std::lock_guard lock{mutex_};
        if (waiting_.size() >= most_waiting) return false;
        waiting_.push_back(waiting);
        count_ = waiting_.size();
    }
    wake_();
    std::unique_lock lock{waiting->mutex};
    waiting->changed.wait_for(lock, patience, [&] { return waiting->state == State::answered; });
    if (waiting->state == State::waiting) {
        waiting->state = State::given_up;
        lock.unlock();
        const std::lock_guard all{mutex_};
        std::erase(waiting_, waiting);
        count_ = waiting_.size();
        return false;
    }
    waiting->changed.wait(lock, [&] { return waiting->state == State::answered; });  // it is being answered: soon
    return true;
}

void EngineQuestions::answer(const LaneSet& lanes) {
    using State = Waiting::State;
    if (count_.load() == 0) return;
    std::deque<std::shared_ptr<Waiting>> all;
    {
        const std::lock_guard lock{mutex_};
        all = std::exchange(waiting_, {});
        count_ = 0;
    }
    for (const auto& one : all) {
        {
            const std::lock_guard lock{one->mutex};
            if (one->state != State::waiting) continue;
            one->state = State::being_answered;
        }
        (*one->question)(lanes);
        const std::lock_guard lock{one->mutex};
        one->state = State::answered;
        one->changed.notify_one();
    }
}

}  // namespace catenary::server
