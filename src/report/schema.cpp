// The compiled-in schemas, and what the program itself reads from them.
#include "xfq/report/schema.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "embedded.h"
#include "json_tools.h"
#include "xfq/core/error.h"
#include "xfq/core/options.h"

namespace xfq::report {

namespace {

constexpr std::string_view kShared = "result.schema.json";

const EmbeddedSchema* find_schema(const std::string& name) {
  for (const EmbeddedSchema& schema : embedded_schemas()) {
    if (schema.name == name) return &schema;
  }
  return nullptr;
}

Json read_schema(const EmbeddedSchema& schema) {
  return parse(schema.text, fmt::format("{}.schema.json", schema.name), ErrorKind::run);
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
  for (const EmbeddedSchema& schema : embedded_schemas()) names.emplace_back(schema.name);
  return names;
}

std::string schema_text(const std::string& name) {
  const EmbeddedSchema* const found = find_schema(name);
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
  const EmbeddedSchema* const found = find_schema(name);
  if (found == nullptr) return {};
  const Json schema = read_schema(*found);
  return schema.value(Json::json_pointer("/properties/schema/const"), std::string());
}

std::vector<std::string> schema_tables(const std::string& name) {
  std::vector<std::string> names;
  const EmbeddedSchema* const found = find_schema(name);
  if (found == nullptr) return names;
  const Json schema = read_schema(*found);
  for (const char* where :
       {"/properties/tables/properties", "/properties/cost/allOf/1/properties/tables/properties"}) {
    const Json::json_pointer place(where);
    if (!schema.contains(place)) continue;
    for (const auto& item : schema.at(place).items()) names.push_back(item.key());
  }
  return names;
}

}  // namespace xfq::report
