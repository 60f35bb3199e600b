#include "api/adapters/adapter.hpp"

namespace catenary::api::adapters {

Adapted adapt(Format format, nlohmann::json value, const std::string& source) {
    if (!value.is_object()) {
        NeutralSignal none;
        none.fault(engine::FaultCode::wrong_type, "", "a record is an object");
        return std::move(none).finish(Record{nlohmann::json::object()});
    }
    Record record{std::move(value)};
    switch (format) {
        case Format::ocsf: return adapt_ocsf(record, source);
        case Format::cloudevents: return adapt_cloudevent(record, source);
        case Format::ecs: return adapt_ecs(record, source);
    }
    return {};
}

}  // namespace catenary::api::adapters
