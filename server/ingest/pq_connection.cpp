#include "server/ingest/pq_connection.hpp"

#include "engine/model/assert.hpp"
#include "server/ingest/pq_values.hpp"

#include <charconv>
#include <vector>

namespace catenary::server {
namespace {

/// libpq's messages have lines; ours go into log events.
std::string one_line(std::string message) {
    while (!message.empty() && message.back() == '\n') message.pop_back();
    for (auto& c : message) {
        if (c == '\n' || c == '\t') c = ' ';
    }
    return message;
}

}  // namespace

std::string_view PqResult::text(int row, int column) const {
    return {PQgetvalue(result_.get(), row, column), static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
}
std::int64_t PqResult::int8(int row, int column) const { return read_number<std::int64_t>(text(row, column)); }
std::int32_t PqResult::int4(int row, int column) const { return read_number<std::int32_t>(text(row, column)); }
std::int16_t PqResult::int2(int row, int column) const { return read_number<std::int16_t>(text(row, column)); }

std::int64_t PqResult::number(int row, int column) const {
    const auto digits = text(row, column);
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    CATENARY_ASSERT(error == std::errc{} && end == digits.data() + digits.size(), "an integer column in text form");
    return value;
}

std::string_view PqResult::tag() const {
    const std::string_view status = PQcmdStatus(result_.get());
    return status.substr(0, status.find(' '));
}

PqConnection::PqConnection(const std::string& dsn) : connection_{PQconnectdb(dsn.c_str())} {
    if (!connection_ || PQstatus(connection_.get()) != CONNECTION_OK) {
        throw PqError{one_line(connection_ ? PQerrorMessage(connection_.get()) : "out of memory"), "", true};
    }
    PQsetNoticeProcessor(
        connection_.get(), [](void*, const char*) {}, nullptr);
}

void PqConnection::fail(const PGresult* result) {
    const char* state = result != nullptr ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : nullptr;
    std::string message = result != nullptr ? PQresultErrorMessage(result) : "";
    if (message.empty()) message = PQerrorMessage(connection_.get());
    std::string sqlstate = state != nullptr ? state : "";
    drain();  // the server may have ended the session with this error; only then does libpq say so
    throw PqError{one_line(std::move(message)), std::move(sqlstate), !good()};
}

void PqConnection::drain() {
    while (PGresult* rest = PQgetResult(connection_.get())) {
        const auto status = PQresultStatus(rest);
        PQclear(rest);
        if (status == PGRES_COPY_IN) {
            if (PQputCopyEnd(connection_.get(), "given up") != 1) return;
        } else if (status == PGRES_COPY_OUT) {
            char* row = nullptr;
            while (PQgetCopyData(connection_.get(), &row, 0) > 0) PQfreemem(row);
        }
        if (PQstatus(connection_.get()) != CONNECTION_OK) return;
    }
}

PqResult PqConnection::run(const std::string& sql) {
    PGresult* raw = PQexec(connection_.get(), sql.c_str());
    PqResult result{raw};
    const auto status = PQresultStatus(raw);
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) fail(raw);
    return result;
}

PqResult PqConnection::query(const char* sql, std::span<const PqParameter> parameters) {
    std::vector<Oid> types;
    std::vector<const char*> values;
    std::vector<int> lengths;
    for (const auto& parameter : parameters) {
        types.push_back(parameter.type);
        values.push_back(parameter.bytes.data());
        lengths.push_back(static_cast<int>(parameter.bytes.size()));
    }
    const std::vector<int> formats(parameters.size(), 1);
    PGresult* raw = PQexecParams(connection_.get(), sql, static_cast<int>(parameters.size()), types.data(), values.data(), lengths.data(), formats.data(), 1);
    PqResult result{raw};
    const auto status = PQresultStatus(raw);
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) fail(raw);
    return result;
}

void PqConnection::copy_in(const std::string& sql) {
    PGresult* raw = PQexec(connection_.get(), sql.c_str());
    const PqResult result{raw};
    if (PQresultStatus(raw) != PGRES_COPY_IN) fail(raw);
}

void PqConnection::copy_send(std::string_view bytes) {
    if (PQputCopyData(connection_.get(), bytes.data(), static_cast<int>(bytes.size())) == 1) return;
    // Sending fails when the session ended; what it said before is waiting to be read.
    PGresult* raw = PQgetResult(connection_.get());
    const PqResult result{raw};
    fail(raw);
}

void PqConnection::copy_end() {
    if (PQputCopyEnd(connection_.get(), nullptr) != 1) fail(nullptr);
    PGresult* raw = PQgetResult(connection_.get());
    const PqResult result{raw};
    if (PQresultStatus(raw) != PGRES_COMMAND_OK) fail(raw);
    drain();
}

void PqConnection::copy_out(const std::string& sql) {
    PGresult* raw = PQexec(connection_.get(), sql.c_str());
    const PqResult result{raw};
    if (PQresultStatus(raw) != PGRES_COPY_OUT) fail(raw);
}

PqRow PqConnection::copy_row() {
    char* row = nullptr;
    const auto length = PQgetCopyData(connection_.get(), &row, 0);
    if (length > 0) return {row, static_cast<std::size_t>(length)};
    PGresult* raw = PQgetResult(connection_.get());
    const PqResult result{raw};
    if (length == -2 || PQresultStatus(raw) != PGRES_COMMAND_OK) fail(raw);
    drain();
    return {};
}

PqCancel::PqCancel(const PqConnection& connection) : cancel_{PQgetCancel(connection.connection_.get())} {}

bool PqCancel::ask() const {
    char reason[256];
    return PQcancel(cancel_.get(), reason, sizeof reason) == 1;
}

}  // namespace catenary::server
