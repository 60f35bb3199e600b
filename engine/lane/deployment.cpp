#include "engine/lane/deployment.hpp"

#include <algorithm>

namespace catenary::engine {

void DeploymentActivity::found(const std::vector<FindingDelta>& deltas) {
    for (const FindingDelta& delta : deltas) {
        if (delta.kind == FindingDelta::Kind::superseded) continue;
        if (delta.kind == FindingDelta::Kind::opened) ++findings;
        last_finding = last_finding ? std::max(*last_finding, delta.end) : delta.end;
    }
}

std::set<std::string> attribute_paths(const Pattern& pattern) {
    std::set<std::string> paths;
    for (const Stage& stage : pattern.stages) {
        paths.merge(stage.match.attribute_paths());
        if (stage.repeat && stage.repeat->distinct && stage.repeat->distinct->kind == Field::Kind::attribute) paths.insert(stage.repeat->distinct->path);
    }
    for (const Absence& absence : pattern.absent) paths.merge(absence.match.attribute_paths());
    return paths;
}

Duration reach(const Pattern& pattern) {
    Duration longest_repeat{};
    for (const Stage& stage : pattern.stages) {
        if (stage.repeat) longest_repeat = std::max(longest_repeat, stage.repeat->within);
    }
    Duration longest_absence{};
    for (const Absence& absence : pattern.absent) longest_absence = std::max(longest_absence, absence.within);
    return pattern.within + longest_repeat + longest_absence;
}

Duration longest_wait(const Pattern& pattern) {
    Duration longest{};
    for (const Absence& absence : pattern.absent) {
        // At the limit of the interval a signal still counts, and is not late while the watermark stands there.
        if (absence.where == Absence::Where::after) longest = std::max(longest, absence.within + Duration{1});
    }
    return longest;
}

}  // namespace catenary::engine
