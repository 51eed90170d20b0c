// Configuration files: a subset of TOML, or JSON (a result, or plain keys).
//
// The subset: comments; [sections]; `key = value` with bare keys; strings in
// double quotes (escapes \" \\ \n \t \r) or single quotes (none); integers and
// floats with optional underscores; true and false; arrays of one kind, over
// several lines if need be. CLI11 has a reader too, but it drops types, cuts
// quoted text at '#' and skips lines that it does not understand.
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

/// Throws ErrorKind::usage naming the source and the line.
std::vector<Setting> parse_toml(std::string_view text, const std::string& source);

/// JSON when the first character is '{'. Throws ErrorKind::usage, or
/// ErrorKind::input when the file cannot be read.
ConfigFile read_config_file(const std::string& path);

}  // namespace xfq::cli
