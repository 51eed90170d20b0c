// Files of the data folder as they were at build time; embed.cmake writes the source.
#pragma once

#include <string_view>
#include <vector>

namespace xfq::report {

struct EmbeddedFile {
  std::string_view path;  ///< within the data folder: "schema/quantize.schema.json"
  std::string_view text;
};

/// In the order of src/report/CMakeLists.txt.
const std::vector<EmbeddedFile>& embedded_files();

/// The text of one file; empty when it is not compiled in.
std::string_view embedded_file(std::string_view path);

}  // namespace xfq::report
