#pragma once

#include "server/ingest/generational_map.hpp"
#include "server/ingest/group.hpp"

#include <cstdint>
#include <utility>
#include <vector>

namespace catenary::server {

class PqConnection;

/// Ids of what a group's rows refer to.
struct RowIds {
    std::vector<std::int32_t> definitions;  ///< one a row
    std::vector<std::int32_t> titles;       ///< one a row; 0: none, or spelled in the row
    std::vector<std::int64_t> entities;     ///< those of all rows, one row after the other
};

/// Entities, definitions and titles as numbers: looked up in memory, else in the database, else added there. One thread.
class Dictionaries {
public:
    /// `bytes`: of all maps together, about. `key`: of the digests that groups come with.
    Dictionaries(std::size_t bytes, const DigestKey& key);

    /// Inside the group's transaction, after the log was locked (so that nobody else adds at the same time). What it learned counts after `keep`.
    RowIds intern(PqConnection& connection, const Group& group);
    /// The transaction committed.
    void keep();
    /// It did not: ids that it made do not exist.
    void forget();

    /// Titles of one (tenant, source, name) that have a number; further ones are spelled in the row.
    static constexpr std::size_t titles_a_name = 64;

private:
    using TitleGroup = std::vector<std::pair<Digest, std::int32_t>>;
    template <class Value>
    using Staged = boost::unordered_flat_map<Digest, Value, DigestHash>;

    void intern_entities(PqConnection& connection, const Group& group, RowIds& ids);
    void intern_definitions(PqConnection& connection, const Group& group, RowIds& ids);
    void intern_titles(PqConnection& connection, const Group& group, RowIds& ids);
    /// As staged, else as kept; null when not loaded yet.
    const TitleGroup* title_group(const Digest& digest);
    void load_title_groups(PqConnection& connection, const Group& group);

    Digester digester_;
    GenerationalMap<std::int64_t> entities_;
    GenerationalMap<std::int32_t> definitions_;
    GenerationalMap<TitleGroup> titles_;
    struct {
        Staged<std::int64_t> entities;
        Staged<std::int32_t> definitions;
        Staged<TitleGroup> titles;
    } staged_;
};

}  // namespace catenary::server
