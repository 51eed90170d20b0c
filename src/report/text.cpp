// A record as CSV, as Markdown and as a short summary.
#include "xfq/report/text.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "markdown.h"
#include "xfq/core/error.h"
#include "xfq/report/json.h"

namespace xfq::report {

namespace {

std::string quote_csv(const std::string& cell) {
  if (cell.find_first_of(",\"\n\r") == std::string::npos) return cell;
  std::string quoted = "\"";
  for (const char c : cell) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

Value cell(const std::optional<double>& value) { return value ? Value(*value) : Value(); }

Table metrics_table(const std::string& name, const std::vector<Metric>& metrics) {
  Table table{name, {"id", "value", "unit", "ci_lo", "ci_hi", "n", "better", "reason"}, {}};
  for (const Metric& metric : metrics) {
    table.rows.push_back({metric.id, cell(metric.value), metric.unit,
                          metric.ci ? Value(metric.ci->lo) : Value(),
                          metric.ci ? Value(metric.ci->hi) : Value(), metric.n,
                          to_string(metric.better), metric.reason});
  }
  return table;
}

Table claims_table(const Record& record) {
  Table table{"claims",
              {"id", "claim", "verdict", "conditions", "statement", "condition", "rule", "value",
               "ci_lo", "ci_hi", "n", "outcome", "reason"},
              {}};
  for (const Claim& claim : record.claims) {
    for (const ClaimTest& test : claim.tests) {
      table.rows.push_back(
          {claim.id, claim.claim, to_string(claim.verdict), claim.conditions, test.statement,
           test.condition, test.rule, cell(test.value), test.ci ? Value(test.ci->lo) : Value(),
           test.ci ? Value(test.ci->hi) : Value(), test.n, to_string(test.outcome), test.reason});
    }
  }
  return table;
}

/// Breaks text at spaces; `indent` leads every line.
std::string wrap(const std::string& text, int width, const std::string& indent) {
  const std::size_t room =
      std::max<std::size_t>(20, static_cast<std::size_t>(std::max(width, 0)) - indent.size());
  std::string out;
  std::string line;
  const auto flush = [&] {
    if (!line.empty()) out += indent + line + '\n';
    line.clear();
  };
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = std::min(text.find_first_of(" \n", begin), text.size());
    const std::string word = text.substr(begin, end - begin);
    if (!word.empty()) {
      if (!line.empty() && line.size() + 1 + word.size() > room) flush();
      line += (line.empty() ? "" : " ") + word;
    }
    begin = end + 1;
  }
  flush();
  return out;
}

std::string markdown_metrics(const std::string& title, const std::vector<Metric>& metrics) {
  if (metrics.empty()) return {};
  std::vector<std::vector<std::string>> rows;
  for (const Metric& metric : metrics) {
    rows.push_back({metric.id, metric.value ? short_number(metric.value) : "none: " + metric.reason,
                    short_interval(metric.ci), metric.unit, std::to_string(metric.n)});
  }
  return fmt::format("## {}\n\n{}\n", title,
                     markdown_table({"metric", "value", "interval", "unit", "n"}, rows));
}

std::string bytes_text(std::int64_t bytes) {
  return fmt::format("{:.0f} MB", static_cast<double>(bytes) / 1e6);
}

}  // namespace

std::string short_number(const std::optional<double>& value) {
  return value ? fmt::format("{:.5g}", *value) : "-";
}

std::string short_interval(const std::optional<Interval>& ci) {
  return ci ? fmt::format("[{:.5g}, {:.5g}]", ci->lo, ci->hi) : "-";
}

std::string markdown_cell(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '|' || c == '\\' || c == '`' || c == '*' || c == '<') out += '\\';
    out += c == '\n' || c == '\r' ? ' ' : c;
  }
  return out;
}

std::string markdown_table(const std::vector<std::string>& columns,
                           const std::vector<std::vector<std::string>>& rows) {
  const auto line = [](const std::vector<std::string>& cells) {
    return fmt::format("| {} |\n", fmt::join(cells, " | "));
  };
  std::string out = line(columns) + line(std::vector<std::string>(columns.size(), "---"));
  for (const std::vector<std::string>& row : rows) {
    std::vector<std::string> cells;
    for (const std::string& text : row) cells.push_back(markdown_cell(text));
    out += line(cells);
  }
  return out;
}

std::vector<std::string> table_names(const Record& record) {
  std::vector<std::string> names = {"metrics", "claims", "measurements"};
  for (const Table& table : record.tables) names.push_back(table.name);
  for (const Table& table : record.cost.tables) names.push_back(table.name);
  return names;
}

std::string to_csv(const Record& record, const std::string& name) {
  check(record);
  Table table;
  if (name == "metrics") {
    table = metrics_table(name, record.metrics);
  } else if (name == "measurements") {
    table = metrics_table(name, record.cost.measurements);
  } else if (name == "claims") {
    table = claims_table(record);
  } else {
    const Table* found = nullptr;
    for (const std::vector<Table>* tables : {&record.tables, &record.cost.tables}) {
      for (const Table& t : *tables) {
        if (t.name == name) found = &t;
      }
    }
    if (found == nullptr) {
      throw_usage(fmt::format("--table: got '{}', expected one of {}", name,
                              fmt::join(table_names(record), ", ")));
    }
    table = *found;
  }
  const auto line = [](const std::vector<std::string>& cells) {
    std::vector<std::string> quoted;
    for (const std::string& text : cells) quoted.push_back(quote_csv(text));
    return fmt::format("{}\n", fmt::join(quoted, ","));
  };
  std::string out = line(table.columns);
  for (const std::vector<Value>& row : table.rows) {
    std::vector<std::string> cells;
    for (const Value& value : row) cells.push_back(to_text(value));
    out += line(cells);
  }
  return out;
}

std::string to_markdown(const Record& record) {
  check(record);
  std::string out = fmt::format("# Question {}: {}\n\n", record.question_number,
                                markdown_cell(record.question_title));
  if (!record.evidence) out += "**Smoke run: proves that it runs, and is no evidence.**\n\n";
  if (!record.answer.empty()) out += record.answer + "\n\n";
  if (!record.claims.empty()) {
    std::vector<std::vector<std::string>> rows;
    for (const Claim& claim : record.claims) {
      rows.push_back({claim.id, claim.claim, to_string(claim.verdict), claim.conditions,
                      claim.seeds_needed ? std::to_string(*claim.seeds_needed) : "-"});
    }
    out += "## Claims\n\n" +
           markdown_table({"claim", "statement", "verdict", "conditions", "seeds needed"}, rows) +
           '\n';
  }
  out += markdown_metrics("Metrics", record.metrics);
  out += markdown_metrics("Measured on this machine", record.cost.measurements);
  if (!record.warnings.empty()) {
    out += "## Warnings\n\n";
    for (const Warning& warning : record.warnings) {
      out += fmt::format("- {}: {}; {}\n", warning.code, warning.text, warning.fix);
    }
    out += '\n';
  }
  out += fmt::format("Schema `{}`, signature `{}`.\n", record.schema, signature(record));
  return out;
}

std::string summary(const Record& record, int width) {
  std::string out = fmt::format("question {}: {}\n", record.question_number, record.question_title);
  if (!record.evidence) out += "  smoke run: proves that it runs, and is no evidence\n";
  out += wrap(record.answer, width, "  ");
  std::size_t longest = 0;
  for (const Claim& claim : record.claims) longest = std::max(longest, claim.id.size());
  for (const Claim& claim : record.claims) {
    std::string note = claim.conditions;
    if (claim.seeds_needed) {
      note +=
          fmt::format("{}{} seeds would settle it", note.empty() ? "" : "; ", *claim.seeds_needed);
    }
    out += fmt::format("  {:<{}}  {}{}\n", claim.id, longest, to_string(claim.verdict),
                       note.empty() ? "" : " (" + note + ")");
  }
  for (const Metric& metric : record.cost.measurements) {
    out += fmt::format("  {}  {} {} {}\n", metric.id, short_number(metric.value),
                       short_interval(metric.ci), metric.unit);
  }
  out += fmt::format("  {:.1f} s, peak {}, signature {}\n", record.cost.wall_s,
                     bytes_text(record.cost.peak_rss_bytes), signature(record));
  return out;
}

}  // namespace xfq::report
