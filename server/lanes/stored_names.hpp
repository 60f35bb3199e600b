#pragma once

#include "engine/model/signal.hpp"
#include "server/lanes/stored_row.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace catenary::server {

struct StoredDefinition {
    std::string domain, source, name;
    std::vector<std::string> tactics, techniques;
};
struct StoredEntity {
    std::string kind, value;
    bool identifies = true;
};

/// Where what ids stand for is looked up: those that there are, in any order. One thread; throws PqError.
class NameSource {
public:
    virtual ~NameSource() = default;
    template <class Id, class Value>
    using Found = std::vector<std::pair<Id, Value>>;
    virtual Found<std::int32_t, StoredDefinition> definitions(const std::vector<std::int32_t>& ids) = 0;
    virtual Found<std::int32_t, std::string> titles(const std::vector<std::int32_t>& ids) = 0;
    virtual Found<std::int64_t, StoredEntity> entities(const std::vector<std::int64_t>& ids) = 0;
};

/// What the ids in rows stand for: definitions, titles and entities, read when first met and kept up to a bound. One thread.
class StoredNames {
public:
    using Definition = StoredDefinition;
    using Entity = StoredEntity;

    /// `source` outlives this. `most_bytes`: of names kept between calls of `load`.
    StoredNames(NameSource& source, std::size_t most_bytes) : source_{source}, most_bytes_{most_bytes} {}

    enum class Titles { leave_out, read };
    /// Makes sure that everything these rows name can be looked up until the next call. Throws PqError.
    void load(std::span<StoredRow> rows, Titles titles = Titles::leave_out);

    /// Of a row that was given to the last `load`; std::runtime_error when the dictionary lacks it.
    const Definition& definition(std::int32_t id) const;
    const Entity& entity(const StoredRow& row, std::size_t index) const { return *resolved_[row.names + index]; }
    const std::string& title(std::int32_t id) const;

private:
    template <class Id, class Value>
    using Names = boost::unordered_flat_map<Id, std::unique_ptr<Value>>;  // values stay where they are: views into them are handed out

    void load_definitions(const std::vector<std::int32_t>& ids);
    void load_titles(const std::vector<std::int32_t>& ids);
    void load_entities(const std::vector<std::int64_t>& ids);

    NameSource& source_;
    std::size_t most_bytes_;
    std::size_t bytes_ = 0;
    Names<std::int32_t, Definition> definitions_;
    Names<std::int32_t, std::string> titles_;
    Names<std::int64_t, Entity> entities_;
    std::vector<const Entity*> resolved_;  ///< of the rows of the last `load`, one after the other
};

/// The signal of a row as its sender meant it: canonical entities with their roles; attributes left empty.
engine::Signal signal_of(const StoredRow& row, const StoredNames& names);
/// Its title, from the dictionary or from the row itself; titles were loaded.
std::string title_of(const StoredRow& row, const StoredNames& names);

}  // namespace catenary::server
