// The compiled-in schemas, and what the program itself reads from them.
#include "xfq/report/schema.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <set>

#include "embedded.h"
#include "json_tools.h"
#include "xfq/core/error.h"
#include "xfq/core/options.h"

namespace xfq::report {

namespace {

constexpr std::string_view kShared = "result.schema.json";
constexpr std::string_view kFolder = "schema/";
constexpr std::string_view kEnding = ".schema.json";
/// Where a schema describes its tables: those of the result, and those with measured times.
constexpr std::array<const char*, 2> kTablePlaces = {
    "/properties/tables/properties", "/properties/cost/allOf/1/properties/tables/properties"};

/// "schema/quantize.schema.json" -> "quantize"; empty for a file that is no schema.
std::string schema_name(const EmbeddedFile& file) {
  if (file.path.substr(0, kFolder.size()) != kFolder) return {};
  return std::string(
      file.path.substr(kFolder.size(), file.path.size() - kFolder.size() - kEnding.size()));
}

const EmbeddedFile* find_schema(const std::string& name) {
  for (const EmbeddedFile& file : embedded_files()) {
    if (schema_name(file) == name && !name.empty()) return &file;
  }
  return nullptr;
}

Json read_schema(const EmbeddedFile& file) {
  return parse(file.text, std::string(file.path), ErrorKind::run);
}

/// Points references into result.schema.json at this document and collects the
/// names of what they referred to.
void localize(Json& node, std::set<std::string>& used) {
  static const std::string kPrefix = "#/definitions/";
  if (!node.is_structured()) return;
  for (auto item = node.begin(); item != node.end(); ++item) {
    if (node.is_object() && item.key() == "$ref" && item->is_string()) {
      std::string target = item->get<std::string>();
      if (target.compare(0, kShared.size(), kShared) == 0) target.erase(0, kShared.size());
      if (target.compare(0, kPrefix.size(), kPrefix) == 0)
        used.insert(target.substr(kPrefix.size()));
      *item = target;
    } else {
      localize(*item, used);
    }
  }
}

}  // namespace

std::vector<std::string> schema_names() {
  std::vector<std::string> names;
  for (const EmbeddedFile& file : embedded_files()) {
    if (const std::string name = schema_name(file); !name.empty()) names.push_back(name);
  }
  return names;
}

std::string schema_text(const std::string& name) {
  const EmbeddedFile* const found = find_schema(name);
  if (found == nullptr) {
    const std::string near = nearest_name(name, schema_names());
    throw_usage(
        fmt::format("schema: got '{}', expected one of {}", name, fmt::join(schema_names(), ", ")),
        near.empty() ? std::string() : fmt::format("did you mean '{}'?", near));
  }
  Json schema = read_schema(*found);
  Json shared = read_schema(*find_schema("result"));
  std::set<std::string> used;
  localize(schema, used);
  // A definition may use others in turn.
  for (std::size_t before = 0; before != used.size();) {
    before = used.size();
    for (const std::string& definition : std::set<std::string>(used)) {
      Json& target = schema["definitions"][definition];
      if (target.is_null()) {
        target = shared.at("definitions").at(definition);
        localize(target, used);
      }
    }
  }
  return pretty(schema);
}

std::string schema_id(const std::string& name) {
  const EmbeddedFile* const found = find_schema(name);
  if (found == nullptr) return {};
  const Json schema = read_schema(*found);
  return schema.value(Json::json_pointer("/properties/schema/const"), std::string());
}

std::string experiment_name(const std::string& schema) {
  const std::size_t begin = schema.find('/');
  const std::size_t end = schema.rfind('/');
  if (begin == std::string::npos || end <= begin) return schema;
  return schema.substr(begin + 1, end - begin - 1);
}

std::vector<std::string> schema_tables(const std::string& name) {
  std::vector<std::string> names;
  const EmbeddedFile* const found = find_schema(name);
  if (found == nullptr) return names;
  const Json schema = read_schema(*found);
  for (const char* where : kTablePlaces) {
    const Json::json_pointer place(where);
    if (!schema.contains(place)) continue;
    for (const auto& item : schema.at(place).items()) names.push_back(item.key());
  }
  return names;
}

std::vector<std::string> schema_columns(const std::string& name, const std::string& table) {
  std::vector<std::string> names;
  const EmbeddedFile* const found = find_schema(name);
  if (found == nullptr) return names;
  const Json schema = read_schema(*found);
  for (const char* where : kTablePlaces) {
    const Json::json_pointer place = Json::json_pointer(where) / table / "items" / "properties";
    if (!schema.contains(place)) continue;
    for (const auto& item : schema.at(place).items()) names.push_back(item.key());
  }
  return names;
}

}  // namespace xfq::report
