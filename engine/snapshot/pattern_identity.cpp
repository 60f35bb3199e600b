#include "engine/snapshot/pattern_identity.hpp"

#include "engine/predicate/node.hpp"
#include "engine/snapshot/codec.hpp"

namespace catenary::engine {
namespace {

void put_field(SnapshotWriter& out, const Field& field) { out(field.kind, field.path); }

void put_scalar(SnapshotWriter& out, const Scalar& scalar) {
    out.byte(static_cast<std::uint8_t>(scalar.index()));
    std::visit([&](const auto& value) { out(value); }, scalar);
}

void put_repeat(SnapshotWriter& out, const Repeat& repeat) {
    out(repeat.at_least, repeat.within, repeat.by, repeat.distinct.has_value());
    if (repeat.distinct) put_field(out, *repeat.distinct);
}

}  // namespace

/// The tree as it was written.
void Predicate::identify(SnapshotWriter& out) const { root_->identify(out); }

void Predicate::Node::identify(SnapshotWriter& out) const {
    out(kind);
    if (kind == Kind::test) {
        const FieldTest& own = test->test();
        put_field(out, own.field);
        out(own.op, own.operands.size());
        for (const Scalar& operand : own.operands) put_scalar(out, operand);
        return;
    }
    out(parts.size());
    for (const auto& part : parts) part->identify(out);
}

SnapshotHash content_hash(const Pattern& pattern) {
    SnapshotWriter out;
    out(pattern.id, pattern.version, pattern.title, pattern.description, pattern.severity, pattern.tactics, pattern.techniques, pattern.order, pattern.within,
        pattern.link, pattern.link_kinds, pattern.strict, pattern.overlap, pattern.required_domains, pattern.max_span, pattern.stages.size());
    for (const Stage& stage : pattern.stages) {
        out(stage.id, stage.optional, stage.within, stage.repeat.has_value());
        if (stage.repeat) put_repeat(out, *stage.repeat);
        stage.match.identify(out);
    }
    out(pattern.absent.size());
    for (const Absence& absence : pattern.absent) {
        out(absence.where, absence.stage, absence.until, absence.within);
        absence.match.identify(out);
    }
    return hash_of(out.take());
}

}  // namespace catenary::engine
