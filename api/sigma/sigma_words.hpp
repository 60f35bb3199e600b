#pragma once

#include <optional>
#include <string>
#include <string_view>

// Sigma's words and ours.

namespace catenary::api::sigma {

/// The kind of entity that a field of log sources holds ("TargetUserName": account), compared without case; one of our kinds stands for itself. Empty: it
/// identifies nothing that links.
std::optional<std::string> kind_of_field(std::string_view field);

/// A tag of ATT&CK as an id: "attack.t1110.001" is T1110.001, "attack.credential-access" (or with _) TA0006. Empty for any other tag.
struct AttackId {
    std::string id;
    bool is_tactic;
};
std::optional<AttackId> attack_of_tag(std::string_view tag);
/// The tag of a tactic or technique.
std::string tag_of_attack(std::string_view id);

}  // namespace catenary::api::sigma
