// The JSON Schemas (draft 7) of data/schema, compiled in.
#pragma once

#include <string>
#include <vector>

namespace xfq::report {

/// Names that `xfq schema` knows, in alphabetical order: "quantize", "result", ...
std::vector<std::string> schema_names();

/// One schema, self-contained: what a file takes from result.schema.json is
/// copied in. Throws ErrorKind::usage with the nearest name.
std::string schema_text(const std::string& name);

/// The schema id that results of experiment `name` carry ("xfq/quantize/1"), or
/// empty when no schema of that name is compiled in.
std::string schema_id(const std::string& name);

/// "xfq/quantize/1" -> "quantize".
std::string experiment_name(const std::string& schema);

/// The tables that results of experiment `name` may hold, or empty when unknown.
std::vector<std::string> schema_tables(const std::string& name);

/// The columns of one of those tables, or empty when unknown.
std::vector<std::string> schema_columns(const std::string& name, const std::string& table);

}  // namespace xfq::report
