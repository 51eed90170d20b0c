# Writes a C++ source that holds the translations.
# cmake -DOUTPUT=<file.cpp> -DINPUT=<zh.po> -P embed_text.cmake
file(READ ${INPUT} text)
file(WRITE ${OUTPUT} "// Written by src/core/embed_text.cmake from data/text.
#include \"catalogue.h\"

namespace xfq {

std::string_view catalogue_zh() { return R\"po(${text})po\"; }

}  // namespace xfq
")
