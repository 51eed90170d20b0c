# Writes build_info.h at build time, and leaves it alone when nothing changed.
# cmake -DOUTPUT=... -DSOURCE_DIR=... -DVERSION=... -DISA=... -DFLAGS=... -P build_info.cmake
set(git "")
find_program(GIT_PROGRAM git)
if(GIT_PROGRAM)
  # A source tree that merely lies inside somebody's repository is not that commit.
  execute_process(COMMAND ${GIT_PROGRAM} -C ${SOURCE_DIR} rev-parse --show-toplevel
    OUTPUT_VARIABLE top OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  get_filename_component(source ${SOURCE_DIR} REALPATH)
  if(top AND top STREQUAL source)
    execute_process(COMMAND ${GIT_PROGRAM} -C ${SOURCE_DIR} describe --always --dirty --exclude=* --abbrev=12
      OUTPUT_VARIABLE git OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  endif()
endif()

# Warnings do not shape the program.
string(REGEX REPLACE "(^| )-W[^ ]*" "" FLAGS "${FLAGS}")
string(REGEX REPLACE " +" " " FLAGS "${FLAGS}")
string(STRIP "${FLAGS}" FLAGS)

foreach(text git VERSION ISA FLAGS)
  string(REPLACE "\\" "\\\\" ${text} "${${text}}")
  string(REPLACE "\"" "\\\"" ${text} "${${text}}")
endforeach()
set(content "// Written by src/cli/build_info.cmake.
#pragma once

namespace xfq::cli {

inline constexpr const char* kBuildVersion = \"${VERSION}\";
inline constexpr const char* kBuildGit = \"${git}\";
inline constexpr const char* kBuildIsa = \"${ISA}\";
inline constexpr const char* kBuildFlags = \"${FLAGS}\";

}  // namespace xfq::cli
")
if(EXISTS ${OUTPUT})
  file(READ ${OUTPUT} before)
endif()
if(NOT "${before}" STREQUAL "${content}")
  file(WRITE ${OUTPUT} "${content}")
endif()
