#pragma once

#include "engine/model/severity.hpp"
#include "engine/model/time.hpp"

#include <compare>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace catenary::engine {

/// A leaf value of `attributes`. JSON null and empty containers have no leaf; numbers are doubles (inexact integers are refused on ingest).
using AttributeValue = std::variant<bool, double, std::string>;

/// One leaf of `attributes`: `{"geo":{"country":"RO"},"tags":["a","b"]}` has the leaves (geo.country, RO), (tags, a), (tags, b).
/// A repeated path is a multi-valued field. Inside a member name '.' is written "\." and '\' is written "\\".
struct Attribute {
    std::string path;
    AttributeValue value;
    bool operator==(const Attribute&) const = default;
};

/// One entity that a signal mentions.
struct EntityMention {
    std::string kind;        ///< account, host, ip, mailbox, file, process, url, domain, app, cloud_resource … or any other lower-case word
    std::string value;       ///< canonical spelling (canonical.hpp)
    std::string role;        ///< "" when not given
    bool identifies = true;  ///< false: a name that identifies nobody (root, 127.0.0.1 …): shown, never links
    bool operator==(const EntityMention&) const = default;
};

/// One low-confidence observation as the engine reads it (semantics.md 2). Unique by (source, id) in its tenant.
struct Signal {
    std::string source;
    std::string id;
    Timestamp time;
    std::string domain;
    std::string name;
    std::vector<std::string> tactics;     ///< ATT&CK tactic ids, "TA0001"
    std::vector<std::string> techniques;  ///< ATT&CK technique ids, "T1078.004"
    Severity severity = Severity::informational;
    double confidence = 0;                ///< 0..1
    std::int64_t count = 1;               ///< pre-aggregated occurrences, >= 1
    std::vector<EntityMention> entities;  ///< canonical, without repeats of (kind, value)
    std::vector<Attribute> attributes;    ///< leaves; the caller may leave out paths that no document of the tenant reads
    bool operator==(const Signal&) const = default;
};

/// An entity of a SignalView.
struct EntityView {
    std::string_view kind;
    std::string_view value;  ///< canonical
    bool identifies = true;
};

/// A signal as the hot path passes it: borrowed, built per entry into reused scratch, valid during one call. Meanings as in Signal.
struct SignalView {
    std::string_view source;
    std::string_view id;
    Timestamp time;
    std::string_view domain;
    std::string_view name;
    std::span<const std::string> tactics;
    std::span<const std::string> techniques;
    Severity severity = Severity::informational;
    double confidence = 0;
    std::int64_t count = 1;
    std::span<const EntityView> entities;
    std::span<const Attribute> attributes;
};

/// Lends an owned signal as a view; the signal must outlive it.
class BorrowedSignal {
public:
    explicit BorrowedSignal(const Signal& signal);
    BorrowedSignal(const BorrowedSignal&) = delete;
    BorrowedSignal& operator=(const BorrowedSignal&) = delete;
    const SignalView& view() const { return view_; }

private:
    std::vector<EntityView> entities_;
    SignalView view_;
};

/// Names one stored signal; ordered as findings order them: by (time, source, id).
struct SignalRef {
    Timestamp time;
    std::string source;
    std::string id;
    template <class Archive, class Self>
    static void fields(Archive& archive, Self& self) {
        archive(self.time, self.source, self.id);
    }
    friend auto operator<=>(const SignalRef&, const SignalRef&) = default;
};

}  // namespace catenary::engine
