// A record as CSV, as Markdown and as a short summary.
#include "xfq/report/text.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "markdown.h"
#include "xfq/core/error.h"
#include "xfq/core/utf8.h"
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

Table metrics_table(const std::string& name, const std::vector<Metric>& metrics,
                    Language language) {
  Table table{name, {"id", "value", "unit", "ci_lo", "ci_hi", "n", "better", "reason"}, {}};
  for (const Metric& metric : metrics) {
    table.rows.push_back({metric.id, cell(metric.value), metric.unit,
                          metric.ci ? Value(metric.ci->lo) : Value(),
                          metric.ci ? Value(metric.ci->hi) : Value(), metric.n,
                          to_string(metric.better), metric.reason.in(language)});
  }
  return table;
}

Table claims_table(const Record& record, Language language) {
  Table table{"claims",
              {"id", "claim", "verdict", "conditions", "statement", "condition", "rule", "value",
               "ci_lo", "ci_hi", "n", "outcome", "reason"},
              {}};
  for (const Claim& claim : record.claims) {
    for (const ClaimTest& test : claim.tests) {
      table.rows.push_back({claim.id, claim.claim.in(language), to_string(claim.verdict),
                            claim.conditions.in(language), test.statement.in(language),
                            test.condition.in(language), test.rule, cell(test.value),
                            test.ci ? Value(test.ci->lo) : Value(),
                            test.ci ? Value(test.ci->hi) : Value(), test.n, to_string(test.outcome),
                            test.reason.in(language)});
    }
  }
  return table;
}

/// One character of UTF-8 text and the columns it takes on a terminal.
struct Character {
  std::string bytes;
  int columns = 1;
  bool wide() const { return columns == 2; }
};

std::vector<Character> characters_of(const std::string& text) {
  std::vector<Character> characters;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t size = utf8_length(text[i]);
    // Three bytes from E2 BA 80 on: Chinese characters, their punctuation, full-width forms.
    const std::string bytes = text.substr(i, size);
    characters.push_back({bytes, size >= 3 && bytes >= "\xe2\xba\x80" ? 2 : 1});
    i += size;
  }
  return characters;
}

/// Marks that may not end a line: U+201C, U+FF08.
bool opens(const Character& character) {
  return character.bytes == "\xE2\x80\x9C" || character.bytes == "\xEF\xBC\x88";
}

/// Marks that may not begin one: U+201D, U+3001, U+3002, U+FF09, U+FF0C, U+FF1A, U+FF1B, U+FF1F.
bool closes(const Character& character) {
  static const std::vector<std::string> marks = {"\xE2\x80\x9D", "\xE3\x80\x81", "\xE3\x80\x82",
                                                 "\xEF\xBC\x89", "\xEF\xBC\x8C", "\xEF\xBC\x9A",
                                                 "\xEF\xBC\x9B", "\xEF\xBC\x9F"};
  return std::find(marks.begin(), marks.end(), character.bytes) != marks.end();
}

/// Breaks text at spaces and beside wide characters; `indent` leads every line.
std::string wrap(const std::string& text, int width, const std::string& indent) {
  const int room = std::max(20, std::max(width, 0) - static_cast<int>(indent.size()));
  std::string out, line, word;
  int line_columns = 0, word_columns = 0;
  bool space = false;  // before the word
  bool after_wide = false, after_opening = false;
  const auto end_word = [&] {
    if (word.empty()) return;
    if (line_columns > 0 && line_columns + (space ? 1 : 0) + word_columns > room) {
      out += indent + line + '\n';
      line.clear();
      line_columns = 0;
    }
    if (line_columns > 0 && space) {
      line += ' ';
      ++line_columns;
    }
    line += word;
    line_columns += word_columns;
    word.clear();
    word_columns = 0;
    space = false;
  };
  for (const Character& character : characters_of(text)) {
    if (character.bytes == " " || character.bytes == "\n") {
      end_word();
      space = true;
      continue;
    }
    if ((character.wide() || after_wide) && !after_opening && !closes(character)) end_word();
    word += character.bytes;
    word_columns += character.columns;
    after_wide = character.wide();
    after_opening = opens(character);
  }
  end_word();
  if (!line.empty()) out += indent + line + '\n';
  return out;
}

std::vector<std::string> header(const std::vector<Text>& names, Language language) {
  std::vector<std::string> cells;
  for (const Text& name : names) cells.push_back(name.in(language));
  return cells;
}

std::string markdown_metrics(const Text& title, const std::vector<Metric>& metrics,
                             Language language) {
  if (metrics.empty()) return {};
  std::vector<std::vector<std::string>> rows;
  for (const Metric& metric : metrics) {
    rows.push_back({metric.id,
                    metric.value ? short_number(metric.value)
                                 : phrase("none: {}", {metric.reason}).in(language),
                    short_interval(metric.ci), metric.unit, std::to_string(metric.n)});
  }
  return fmt::format(
      "## {}\n\n{}\n", title.in(language),
      markdown_table(header({"metric", "value", "interval", "unit", "n"}, language), rows));
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

std::string to_csv(const Record& record, const std::string& name, Language language) {
  check(record);
  Table table;
  if (name == "metrics") {
    table = metrics_table(name, record.metrics, language);
  } else if (name == "measurements") {
    table = metrics_table(name, record.cost.measurements, language);
  } else if (name == "claims") {
    table = claims_table(record, language);
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

Text verdict_text(Verdict verdict) { return to_string(verdict); }

std::string to_markdown(const Record& record, Language language) {
  check(record);
  const auto say = [language](const Text& text) { return text.in(language); };
  std::string out = fmt::format(
      "# {}\n\n", say(phrase("Question {}: {}",
                             {record.question_number, markdown_cell(say(record.question_title))})));
  if (!record.evidence) {
    out += "**" + say("Smoke run: proves that it runs, and is no evidence.") + "**\n\n";
  }
  if (!record.answer.empty()) out += say(record.answer) + "\n\n";
  if (!record.claims.empty()) {
    std::vector<std::vector<std::string>> rows;
    for (const Claim& claim : record.claims) {
      rows.push_back({claim.id, say(claim.claim), say(verdict_text(claim.verdict)),
                      say(claim.conditions),
                      claim.seeds_needed ? std::to_string(*claim.seeds_needed) : "-"});
    }
    out += "## " + say("Claims") + "\n\n" +
           markdown_table(
               header({"claim", "statement", "verdict", "conditions", "seeds needed"}, language),
               rows) +
           '\n';
  }
  out += markdown_metrics("Metrics", record.metrics, language);
  out += markdown_metrics("Measured on this machine", record.cost.measurements, language);
  if (!record.warnings.empty()) {
    out += "## " + say("Warnings") + "\n\n";
    for (const Warning& warning : record.warnings) {
      out += fmt::format("- {}: {}\n", warning.code, say(clauses({warning.text, warning.fix})));
    }
    out += '\n';
  }
  out += say(phrase("Schema `{}`, signature `{}`.", {record.schema, signature(record)})) + '\n';
  return out;
}

std::string summary(const Record& record, int width, Language language) {
  const auto say = [language](const Text& text) { return text.in(language); };
  std::string out =
      say(phrase("question {}: {}", {record.question_number, record.question_title})) + '\n';
  if (!record.evidence) {
    out += "  " + say("smoke run: proves that it runs, and is no evidence") + '\n';
  }
  out += wrap(say(record.answer), width, "  ");
  std::size_t longest = 0;
  for (const Claim& claim : record.claims) longest = std::max(longest, claim.id.size());
  for (const Claim& claim : record.claims) {
    Text note = claim.conditions;
    if (claim.seeds_needed) {
      note = clauses({note, phrase("{} seeds would settle it", {*claim.seeds_needed})});
    }
    const Text verdict = verdict_text(claim.verdict);
    // The id stands in the first line's indent.
    std::string lines = wrap(say(note.empty() ? verdict : phrase("{} ({})", {verdict, note})),
                             width, std::string(longest + 4, ' '));
    out += lines.replace(2, claim.id.size(), claim.id);
  }
  for (const Metric& metric : record.cost.measurements) {
    out += fmt::format("  {}  {} {} {}\n", metric.id, short_number(metric.value),
                       short_interval(metric.ci), metric.unit);
  }
  out +=
      "  " +
      say(phrase("{:.1f} s, peak {}, signature {}",
                 {record.cost.wall_s, bytes_text(record.cost.peak_rss_bytes), signature(record)})) +
      '\n';
  return out;
}

}  // namespace xfq::report
