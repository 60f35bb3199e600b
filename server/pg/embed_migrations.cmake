# cmake -DFOLDER=migrations -DOUTPUT=file.cpp -P embed_migrations.cmake: the SQL files as a C++ table, roles.sql last.
file(GLOB names RELATIVE ${FOLDER} ${FOLDER}/0*.sql)
list(SORT names)
list(APPEND names roles.sql)
set(rows "")
foreach(name IN LISTS names)
  file(READ ${FOLDER}/${name} text)
  if(text MATCHES "\\)embedded\"")
    message(FATAL_ERROR "${name} holds the delimiter of its own literal")
  endif()
  string(APPEND rows "    {\"${name}\", R\"embedded(${text})embedded\"},\n")
endforeach()
file(WRITE ${OUTPUT} "// Made from migrations/ by server/pg/embed_migrations.cmake.
#include \"server/pg/migrator.hpp\"

#include <iterator>

namespace catenary::server::pg {
namespace {

constexpr MigrationFile files[] = {
${rows}};

}  // namespace

std::span<const MigrationFile> embedded_migrations() { return {std::begin(files), std::end(files)}; }

}  // namespace catenary::server::pg
")
