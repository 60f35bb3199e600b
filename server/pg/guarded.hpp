#pragma once

#include "server/pg/store_error.hpp"

#include <pqxx/pqxx>

#include <exception>
#include <type_traits>
#include <utility>

namespace catenary::server::pg {

/// The error behind the exception that is being handled; to be called inside a `catch` only. Rethrows what is no failure of the database.
StoreError error_in_flight();

namespace detail {
template <class T>
struct StoreResultOf {
    using type = StoreResult<T>;
};
template <class T>
struct StoreResultOf<StoreResult<T>> {
    using type = StoreResult<T>;
};
}  // namespace detail

/// Runs `work` and turns libpqxx's exceptions into values: the one place where that happens. `work` may return T or StoreResult<T>.
template <class F>
auto guarded(F&& work) -> typename detail::StoreResultOf<std::invoke_result_t<F>>::type {
    try {
        if constexpr (std::is_void_v<std::invoke_result_t<F>>) {
            std::forward<F>(work)();
            return {};
        } else {
            return std::forward<F>(work)();
        }
    } catch (const std::exception&) {
        return error_in_flight();
    }
}

}  // namespace catenary::server::pg
