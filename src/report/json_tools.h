// Small JSON tools that the sources of this room share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "xfq/core/error.h"
#include "xfq/core/value.h"

namespace xfq::report {

using Json = nlohmann::ordered_json;

/// One line, no spaces. Numbers are the shortest texts that read back exactly; bytes
/// that are not UTF-8 become U+FFFD.
std::string compact(const Json& json);

/// Two spaces a level; what fits into 100 columns stands on one line, and so does a
/// row of a list up to 1000. Ends in a newline.
std::string pretty(const Json& json);

/// `where` names the field in the error (ErrorKind::run) for a number that is
/// not finite.
Json number(double value, const std::string& where);
Json to_json_value(const Value& value, const std::string& where);

/// Throws Error(kind) with the line of the first fault.
Json parse(std::string_view text, const std::string& source, ErrorKind kind);

/// A place in a JSON document that is read with checks: every mismatch throws
/// Error(kind) naming the source and the path.
class Field {
 public:
  Field(const Json& node, const std::string& source, ErrorKind kind)
      : node_(&node), source_(&source), kind_(kind) {}

  bool has(const char* key) const { return node_->is_object() && node_->contains(key); }
  bool is_null() const { return node_->is_null(); }
  const Json& node() const { return *node_; }

  Field at(const std::string& key) const;
  /// Elements of an array, or values of an object with `name()` as their key.
  std::vector<Field> items() const;
  const std::string& name() const { return name_; }

  std::string text() const;
  bool truth() const;
  std::int64_t integer() const;
  double real() const;
  Value value() const;

  [[noreturn]] void fail(const std::string& expected) const;

 private:
  Field child(const Json& node, std::string name, const std::string& step) const;

  const Json* node_;
  const std::string* source_;
  ErrorKind kind_;
  std::string path_;
  std::string name_;
};

}  // namespace xfq::report
