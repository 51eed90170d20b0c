// Configuration files: TOML (toml++), or JSON (a result, or plain keys).
//
// Keys stand at the top or in a section named after an experiment. Values are
// truth values, integers, floats, texts, and arrays of one kind; types are kept,
// so that a wrong one can be refused. (CLI11's own reader drops types, cuts quoted
// text at '#' and skips lines that it does not understand.)
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "xfq/core/value.h"

namespace xfq::cli {

struct Setting {
  std::string section;  ///< empty outside of any
  std::string key;
  Value value;
};

struct ConfigFile {
  std::string schema;  ///< of a result; empty otherwise
  std::vector<Setting> settings;
};

/// In file order. Throws ErrorKind::usage naming the source and the line.
std::vector<Setting> parse_toml(std::string_view text, const std::string& source);

/// JSON when the first character is '{'. Throws ErrorKind::usage, or
/// ErrorKind::input when the file cannot be read.
ConfigFile read_config_file(const std::string& path);

}  // namespace xfq::cli
