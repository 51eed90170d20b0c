// The files of data/schema as they were at build time; embed.cmake writes the source.
#pragma once

#include <string_view>
#include <vector>

namespace xfq::report {

struct EmbeddedSchema {
  std::string_view name;  ///< file name without .schema.json
  std::string_view text;
};

/// In alphabetical order.
const std::vector<EmbeddedSchema>& embedded_schemas();

}  // namespace xfq::report
