# Writes a C++ source that holds files of the data folder.
# cmake -DOUTPUT=<file.cpp> -DFOLDER=<data> -DINPUTS=<schema/a.schema.json|page/style.css> -P embed.cmake
string(REPLACE "|" ";" INPUTS "${INPUTS}")
set(rows "")
foreach(input IN LISTS INPUTS)
  file(READ ${FOLDER}/${input} text)
  string(APPEND rows "      {\"${input}\", R\"embedded(${text})embedded\"},\n")
endforeach()
file(WRITE ${OUTPUT} "// Written by src/report/embed.cmake from the data folder.
#include \"embedded.h\"

namespace xfq::report {

const std::vector<EmbeddedFile>& embedded_files() {
  static const std::vector<EmbeddedFile> files = {
${rows}  };
  return files;
}

std::string_view embedded_file(std::string_view path) {
  for (const EmbeddedFile& file : embedded_files()) {
    if (file.path == path) return file.text;
  }
  return {};
}

}  // namespace xfq::report
")
