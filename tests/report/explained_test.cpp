// Every name in every experiment's smoke result and in the committed results is explained.
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "catch.h"
#include "xfq/core/file.h"
#include "xfq/report/explain.h"

namespace xfq::report {
namespace {

using nlohmann::json;

void check_metrics(const std::string& experiment, const json& metrics,
                   std::set<std::string>& missing) {
  for (const json& metric : metrics) {
    const std::string id = metric.at("id");
    const Explanation* const entry = explain_metric(experiment, id);
    if (entry == nullptr) {
      missing.insert("metric " + id);
      continue;
    }
    INFO(experiment + " metric " + id);
    CHECK(metric.at("unit") == entry->unit);
  }
}

void check_tables(const std::string& experiment, const json& tables,
                  std::set<std::string>& missing) {
  for (const auto& table : tables.items()) {
    for (const json& row : table.value()) {
      for (const auto& cell : row.items()) {
        if (explain_column(experiment, table.key(), cell.key()) == nullptr) {
          missing.insert("column " + table.key() + "." + cell.key());
        }
      }
    }
  }
}

TEST_CASE("no name of a result is without an explanation") {
  const std::string paths = XFQ_SMOKE_RESULTS "|" XFQ_COMMITTED_RESULTS;
  for (std::size_t begin = 0; begin < paths.size();) {
    const std::size_t end = std::min(paths.find('|', begin), paths.size());
    const std::string path = paths.substr(begin, end - begin);
    begin = end + 1;
    const json result = json::parse(read_file(path, "result"));
    const std::string schema = result.at("schema");  // xfq/quantize/1
    const std::string experiment = schema.substr(4, schema.rfind('/') - 4);
    std::set<std::string> missing;
    check_metrics(experiment, result.at("metrics"), missing);
    check_metrics(experiment, result.at("cost").at("measurements"), missing);
    check_tables(experiment, result.at("tables"), missing);
    check_tables(experiment, result.at("cost").at("tables"), missing);
    for (const json& claim : result.at("claims")) {
      const Explanation* const entry = explain_claim(claim.at("id"));
      if (entry == nullptr) {
        missing.insert("claim " + claim.at("id").get<std::string>());
        continue;
      }
      CHECK(entry->experiment == experiment);
      CHECK(entry->text.english() == claim.at("claim").get<std::string>());
    }
    std::string names;
    for (const std::string& name : missing) names += name + "\n";
    INFO("data/explain/" + experiment + ".json has no entry for:\n" + names);
    CHECK(missing.empty());
  }
}

}  // namespace
}  // namespace xfq::report
