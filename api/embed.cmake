# cmake -DROOT=<folder> -DFILES=<path>|<path>… -DOUTPUT=<file.cpp> -P embed.cmake
# Writes a translation unit that defines embedded_files(), in the order given. '|' separates, since ';' does not survive a command line.
string(REPLACE "|" ";" FILES "${FILES}")
# With their suffix, literals know their length: a compiler that counts characters in constant expressions gives up at a million.
set(text "#include \"api/embedded.hpp\"\n\nnamespace catenary::api {\n\nstd::span<const EmbeddedFile> embedded_files() {\n    using namespace std::string_view_literals;\n    static constexpr EmbeddedFile files[] = {\n")
foreach(path IN LISTS FILES)
  file(READ "${ROOT}/${path}" content)
  string(APPEND text "        {\"${path}\", R\"catenary(${content})catenary\"sv},\n")
endforeach()
string(APPEND text "    };\n    return files;\n}\n\n}  // namespace catenary::api\n")
file(WRITE "${OUTPUT}" "${text}")
