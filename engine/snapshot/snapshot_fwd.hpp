#pragma once

namespace catenary::engine {

class SnapshotReader;
class SnapshotWriter;

}  // namespace catenary::engine
