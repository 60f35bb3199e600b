#pragma once

#include <compare>
#include <string>

namespace catenary::tests {

/// Which of a load's signals: place `index` of batch `batch` of sender `sender`. Ordered by event time: a batch is a tenth of a second. None is late, as
/// long as no sender is 36,000 batches, an hour, ahead of the other.
struct LoadSignal {
    static constexpr int senders = 2;
    static constexpr int batch_size = 50;

    int batch = 0;
    int sender = 0;
    int index = 0;

    auto operator<=>(const LoadSignal&) const = default;

    std::string id() const;
    /// The one with this id. Throws std::invalid_argument where a load sends none such.
    static LoadSignal of(const std::string& id);
    /// What is sent, as one line of JSON without its end; the same at every call.
    ///
    /// Most are heartbeats, which no pattern wants. Every eighth batch begins a chain of an account of its own: a sign-in, 35 batches later a mailbox rule
    /// from the other sender, 78 batches later a download, so that what ends a server mostly comes between. Every 24 batches there is a burst of failed
    /// sign-ins and then one that succeeds: by turns as many failures as a pattern needs, of which none may be lost, and one less, of which none may count twice.
    std::string json() const;
};

}  // namespace catenary::tests
