# Writes a C++ source that holds the schemas.
# cmake -DOUTPUT=<file.cpp> -DINPUTS=<a.schema.json|b.schema.json> -P embed.cmake
string(REPLACE "|" ";" INPUTS "${INPUTS}")
set(rows "")
foreach(input IN LISTS INPUTS)
  get_filename_component(name ${input} NAME)
  string(REPLACE ".schema.json" "" name ${name})
  file(READ ${input} text)
  string(APPEND rows "      {\"${name}\", R\"schema(${text})schema\"},\n")
endforeach()
file(WRITE ${OUTPUT} "// Written by src/report/embed.cmake from data/schema.
#include \"embedded.h\"

namespace xfq::report {

const std::vector<EmbeddedSchema>& embedded_schemas() {
  static const std::vector<EmbeddedSchema> schemas = {
${rows}  };
  return schemas;
}

}  // namespace xfq::report
")
