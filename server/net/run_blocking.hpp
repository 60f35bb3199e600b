#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <type_traits>
#include <utility>

namespace catenary::server::net {

/// Runs `job` on a thread of `pool`; the awaiting coroutine goes on on its own executor. The result must be default constructible (Asio makes one
/// beside an exception). Pass a named job: GCC 12 destroys closures made inside a co_await expression twice.
template <class F>
auto run_blocking(boost::asio::thread_pool& pool, F job) -> boost::asio::awaitable<std::invoke_result_t<F>> {
    auto task = [&job]() -> boost::asio::awaitable<std::invoke_result_t<F>> { co_return job(); };  // job lives in this frame
    auto pending = boost::asio::co_spawn(pool, std::move(task), boost::asio::use_awaitable);
    co_return co_await std::move(pending);
}

}  // namespace catenary::server::net
