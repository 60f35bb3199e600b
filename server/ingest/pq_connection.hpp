#pragma once

// The one place that talks to PostgreSQL through libpq itself: binary COPY, which libpqxx 6.4 lacks. Everything else uses server/pg.

#include "server/ingest/pq_error.hpp"

#include <libpq-fe.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace catenary::server {

/// Rows of a statement, in the format they were asked for.
class PqResult {
public:
    explicit PqResult(PGresult* result) : result_{result} {}
    int rows() const { return PQntuples(result_.get()); }
    bool is_null(int row, int column) const { return PQgetisnull(result_.get(), row, column) != 0; }
    std::string_view text(int row, int column) const;
    /// Big-endian integers of binary results; the column must have that width.
    std::int64_t int8(int row, int column) const;
    std::int32_t int4(int row, int column) const;
    std::int16_t int2(int row, int column) const;
    /// Of a text result.
    std::int64_t number(int row, int column) const;
    /// First word of the command tag: "COMMIT", "ROLLBACK" …
    std::string_view tag() const;

private:
    struct Clear {
        void operator()(PGresult* result) const { PQclear(result); }
    };
    std::unique_ptr<PGresult, Clear> result_;
};

/// A parameter in binary form; see pq_values.hpp for how to make one.
struct PqParameter {
    Oid type = 0;
    std::string bytes;
};

/// One piece of a COPY out: with binary format a row, the first one with the header before it, and the trailer.
class PqRow {
public:
    PqRow() = default;
    PqRow(char* bytes, std::size_t size) : bytes_{bytes}, size_{size} {}
    std::string_view bytes() const { return {bytes_.get(), size_}; }
    bool empty() const { return size_ == 0; }

private:
    struct Free {
        void operator()(char* bytes) const { PQfreemem(bytes); }
    };
    std::unique_ptr<char, Free> bytes_;
    std::size_t size_ = 0;
};

/// A connection to PostgreSQL; one thread. Every failure is a PqError.
class PqConnection {
public:
    explicit PqConnection(const std::string& dsn);

    /// One or more statements without parameters; text result of the last one.
    PqResult run(const std::string& sql);
    /// One statement; binary result.
    PqResult query(const char* sql, std::span<const PqParameter> parameters = {});

    /// COPY … FROM STDIN: begin, send any number of times, end.
    void copy_in(const std::string& sql);
    void copy_send(std::string_view bytes);
    void copy_end();

    /// COPY … TO STDOUT: begin, then `copy_row` until it returns an empty one.
    void copy_out(const std::string& sql);
    PqRow copy_row();

    bool good() const { return PQstatus(connection_.get()) == CONNECTION_OK; }

private:
    friend class PqCancel;
    struct Finish {
        void operator()(PGconn* connection) const { PQfinish(connection); }
    };
    [[noreturn]] void fail(const PGresult* result);
    void drain();

    std::unique_ptr<PGconn, Finish> connection_;
};

/// Ends the statement that a connection waits for: that fails with SQLSTATE 57014. Any thread; outlives the connection harmlessly.
class PqCancel {
public:
    explicit PqCancel(const PqConnection& connection);
    /// Whether the server took the request; it ends the statement a moment later, if there is one.
    bool ask() const;

private:
    struct Free {
        void operator()(PGcancel* cancel) const { PQfreeCancel(cancel); }
    };
    std::unique_ptr<PGcancel, Free> cancel_;
};

}  // namespace catenary::server
