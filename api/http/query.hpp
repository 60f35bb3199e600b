#pragma once

#include "api/http/request.hpp"
#include "engine/model/result.hpp"
#include "engine/model/time.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace catenary::api::http {

/// Reads the query parameters a handler knows and collects every fault: bad values, single ones given twice, and in the end those nobody asked for.
/// A fault's pointer is "/" and the parameter's name. Each parameter is asked for at most once; an empty value is a fault, not an absence.
///
///     QueryReader query{request};
///     filter.owners = query.many("owner");
///     filter.score_min = query.number("score_min", 0, 1);
///     const auto limit = query.limit();
///     if (auto refusal = query.refusal()) return *refusal;
class QueryReader {
public:
    explicit QueryReader(const Request& request) : request_{&request} {}  ///< the request must outlive it

    std::optional<std::string> one(std::string_view name);
    std::vector<std::string> many(std::string_view name);
    /// RFC 3339 with an offset.
    std::optional<engine::Timestamp> time(std::string_view name);
    /// Both ends included.
    std::optional<double> number(std::string_view name, double least, double most);
    std::optional<std::int64_t> integer(std::string_view name, std::int64_t least, std::int64_t most);
    /// "true" or "false"; false when absent.
    bool flag(std::string_view name);
    /// Index into `words` of the value; the fault lists them.
    std::optional<std::size_t> word(std::string_view name, std::span<const std::string_view> words);
    std::vector<std::size_t> words(std::string_view name, std::span<const std::string_view> words);
    /// `limit`: 1 to 500, 50 when absent.
    std::size_t limit();
    /// `cursor`, still sealed; "" when absent.
    std::string cursor();

    /// A fault found by the handler itself in a value it read.
    void fault(std::string_view name, engine::FaultCode code, std::string detail);

    /// Every fault so far and one for each parameter that was not asked for. Called last.
    engine::Faults finish();
    /// finish() as a 400 problem; empty when there is no fault.
    std::optional<Response> refusal();

private:
    const Request* request_;
    std::set<std::string, std::less<>> known_;
    engine::Faults faults_;
};

}  // namespace catenary::api::http
