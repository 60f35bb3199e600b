#pragma once

#include "engine/matching/matcher.hpp"
#include "engine/matching/window.hpp"

#include <boost/container/small_vector.hpp>

#include <cstddef>
#include <map>
#include <span>
#include <vector>

namespace catenary::engine {

/// Keeps findings back whose evidence comes from fewer domains than their pattern requires (semantics.md 4.2).
class RequiredDomains {
public:
    explicit RequiredDomains(std::size_t least) : least_{least} {}

    /// What may be told of these changes; a finding that was kept back is opened once its evidence suffices.
    std::vector<FindingDelta> admit(std::vector<FindingDelta> changes, const SignalWindow& window);
    /// Forgets findings that ended before: nothing changes them any more.
    void forget_before(Timestamp time);
    /// These signals are given up, sorted: they are evidence of nothing that still changes.
    void forget(std::span<const SignalHandle> given_up);
    std::size_t bytes() const;
    template <class Archive, class Self>
    static void fields(Archive& archive, Self& self) {
        archive(self.findings_);
    }

private:
    struct Finding {
        boost::container::small_vector<Symbol, 2> domains;
        std::map<SignalHandle, std::uint8_t> kept_back;  // evidence with its stage; empty once admitted
        Timestamp end;
        bool admitted = false;
        template <class Archive, class Self>
        static void fields(Archive& archive, Self& self) {
            archive(self.domains, self.kept_back, self.end, self.admitted);
        }
    };

    void take(Finding& finding, const FindingDelta& change, const SignalWindow& window) const;

    std::size_t least_;
    std::map<FindingId, Finding> findings_;
};

}  // namespace catenary::engine
