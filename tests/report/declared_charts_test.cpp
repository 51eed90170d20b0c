// The charts of data/charts against the schemas, and against results when the program is there.
#include <algorithm>
#include <set>
#include <string>

#include "catch.h"
#include "chart_declaration.h"
#include "chart_resolve.h"
#include "xfq/core/file.h"
#include "xfq/report/json.h"
#include "xfq/report/schema.h"

namespace xfq::report {

TEST_CASE("every experiment with a schema declares charts") {
  for (const std::string& name : schema_names()) {
    if (name == "result" || name == "compare") continue;
    INFO(name);
    CHECK_FALSE(chart_declarations(name).charts.empty());
  }
}

TEST_CASE("every column that a chart names is in the schema") {
  for (const std::string& experiment : chart_experiments()) {
    std::set<std::string> ids;
    for (const ChartDeclaration& chart : chart_declarations(experiment).charts) {
      CHECK(ids.insert(chart.id).second);
      for (const LayerDeclaration& layer : chart.layers) {
        if (layer.table.empty()) continue;
        INFO(experiment << " " << chart.id << " " << layer.table);
        const std::vector<std::string> columns = schema_columns(experiment, layer.table);
        CHECK_FALSE(columns.empty());
        for (const std::string& column : layer.columns()) {
          INFO(column);
          CHECK(std::find(columns.begin(), columns.end(), column) != columns.end());
        }
      }
      if (chart.facet.empty()) continue;
      INFO(experiment << " " << chart.id << " " << chart.facet);
      const std::vector<std::string> columns =
          schema_columns(experiment, chart.layers.front().table);
      CHECK(std::find(columns.begin(), columns.end(), chart.facet) != columns.end());
    }
  }
}

#ifdef XFQ_SMOKE_RESULTS
// A chart that shows nothing although its table is there, or that mixes rows, is declared wrongly.
TEST_CASE("every chart shows something of a real result") {
  const std::string list = XFQ_SMOKE_RESULTS;
  for (std::size_t begin = 0; begin < list.size();) {
    const std::size_t end = std::min(list.find('|', begin), list.size());
    const std::string path = list.substr(begin, end - begin);
    begin = end + 1;
    const Record record = parse_result(read_file(path, "smoke result"), path).record;
    for (const ChartDeclaration& declaration :
         chart_declarations(experiment_name(record.schema)).charts) {
      INFO(path << " " << declaration.id);
      const auto held = [&record](const LayerDeclaration& layer) {
        const auto same = [&layer](const Table& table) {
          return table.name == layer.table && !table.rows.empty();
        };
        return std::any_of(record.tables.begin(), record.tables.end(), same) ||
               std::any_of(record.cost.tables.begin(), record.cost.tables.end(), same);
      };
      if (std::none_of(declaration.layers.begin(), declaration.layers.end(), held)) continue;
      const auto chart = resolve(declaration, record, Language::en);
      CHECK(chart.has_value());
      if (chart) CHECK_FALSE(chart->ambiguous);
    }
  }
}
#endif

}  // namespace xfq::report
