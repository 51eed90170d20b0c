// Record <-> JSON, and the signature of a result.
//
// The object has its keys in a fixed order: schema, question, config, evidence,
// data, metrics, tables, claims, answer, warnings, translations, environment, cost,
// signature. Texts are English; `translations` has the other languages, by the English text.
// Numbers are finite and read back to the same bits; a metric without a value is
// null and says why. data/schema describes every field.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "xfq/core/record.h"

namespace xfq::report {

/// A result file, read back.
struct Result {
  Record record;
  std::string signature;  ///< as it stands in the file
  std::size_t line = 0;   ///< of a file with several; 0: the file is this result
};

/// Settings from a configuration file, in file order.
struct Settings {
  std::string schema;  ///< of the result the settings came from; empty otherwise
  std::vector<std::pair<std::string, Value>> values;
};

/// 32 hexadecimal digits, XXH3-128: over the compact JSON of the record without
/// translations, environment, cost and signature. Two runs with equal options have equal
/// signatures, whatever the machine's speed.
std::string signature(const Record& record);

/// Throws ErrorKind::run naming the field when a number is not finite or a metric
/// has neither value nor reason. Everything that prints a record calls it.
void check(const Record& record);

/// The whole object, indented for reading, short arrays and objects on one
/// line, ending in a newline.
std::string to_json(const Record& record);

/// The same object on one line.
std::string to_ndjson(const Record& record);

/// Reads a result back. Throws ErrorKind::input naming `source` and the field.
Result parse_result(std::string_view json, const std::string& source);

/// The same for a file that holds one result, or one a line (NDJSON); `source` then
/// has the line behind it.
std::vector<Result> parse_results(std::string_view text, const std::string& source);

/// Settings from a result (its `config` object) or from a plain JSON object of
/// option keys. Throws ErrorKind::usage naming `source` and the key.
Settings parse_settings(std::string_view json, const std::string& source);

}  // namespace xfq::report
