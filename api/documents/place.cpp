#include "api/documents/place.hpp"

#include "api/json/pointer.hpp"

namespace catenary::api::documents {

Place Place::member(std::string_view name) const {
    auto pointer = pointer_;
    json::append_token(pointer, name);
    return Place{*faults_, std::move(pointer)};
}

Place Place::item(std::size_t index) const { return Place{*faults_, pointer_ + '/' + std::to_string(index)}; }

Place Place::below(std::string_view relative_pointer) const { return Place{*faults_, pointer_ + std::string{relative_pointer}}; }

void Place::fault(engine::FaultCode code, std::string detail) const {
    if (faults_->size() < most_faults) faults_->push_back({code, pointer_, std::move(detail)});
}

std::string in_quotes(std::string_view text) {
    constexpr std::size_t most = 64;
    if (text.size() <= most) return '"' + std::string{text} + '"';
    auto end = most;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;  // not inside a UTF-8 sequence
    return '"' + std::string{text.substr(0, end)} + "…\"";
}

}  // namespace catenary::api::documents
