#include "engine/model/signal.hpp"

namespace catenary::engine {

BorrowedSignal::BorrowedSignal(const Signal& signal) {
    entities_.reserve(signal.entities.size());
    for (const auto& mention : signal.entities) entities_.push_back({mention.kind, mention.value, mention.identifies});
    view_ = {signal.source,     signal.id,       signal.time,       signal.domain, signal.name, signal.tactics,
             signal.techniques, signal.severity, signal.confidence, signal.count,  entities_,   signal.attributes};
}

}  // namespace catenary::engine
