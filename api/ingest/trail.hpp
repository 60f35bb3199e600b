#pragma once

#include "api/json/pointer.hpp"
#include "engine/model/result.hpp"

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace catenary::api::ingest {

/// Where in an item reading has come to, and the faults found in it. Costs nothing until there is one: pointers are spelled out only then.
class Trail {
public:
    static constexpr std::size_t most_faults = 20;  ///< further ones of the same item are not listed

    explicit Trail(engine::Faults& faults) : faults_{&faults} {}

    void enter(std::string_view member) { push({member, 0, true}); }
    void enter(std::size_t index) { push({{}, index, false}); }
    void leave() { --size_; }
    void restart() { size_ = 0; }

    void fault(engine::FaultCode code, std::string detail) const {
        if (faults_->size() < most_faults) faults_->push_back({code, pointer(), std::move(detail)});
    }

private:
    struct Step {
        std::string_view member;
        std::size_t index;
        bool is_member;
    };
    static constexpr std::size_t most_steps = 64;  // above any IngestLimits::depth; deeper steps are left out of pointers

    void push(const Step& step) {
        if (size_ < most_steps) steps_[size_] = step;
        ++size_;
    }
    std::string pointer() const {
        std::string text;
        for (std::size_t i = 0; i < size_ && i < most_steps; ++i) {
            if (steps_[i].is_member) {
                json::append_token(text, steps_[i].member);
            } else {
                text += '/' + std::to_string(steps_[i].index);
            }
        }
        return text;
    }

    engine::Faults* faults_;
    std::array<Step, most_steps> steps_{};
    std::size_t size_ = 0;
};

/// One step down for as long as it lives.
class Step {
public:
    Step(Trail& trail, std::string_view member) : trail_{&trail} { trail.enter(member); }
    Step(Trail& trail, std::size_t index) : trail_{&trail} { trail.enter(index); }
    ~Step() { trail_->leave(); }
    Step(const Step&) = delete;
    Step& operator=(const Step&) = delete;

private:
    Trail* trail_;
};

}  // namespace catenary::api::ingest
