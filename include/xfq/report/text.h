// A record for people and spreadsheets: CSV, Markdown, and a short summary.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "xfq/core/record.h"

namespace xfq::report {

/// What `--table` accepts for this record: "metrics", "claims", "measurements", then its
/// tables, those of the cost last.
std::vector<std::string> table_names(const Record& record);

/// One table with a header line, RFC 4180 quoting, lines end in \n. "metrics"
/// and "measurements" have id, value, unit, ci_lo, ci_hi, n, better, reason; "claims" has one line
/// per test. A missing value is an empty cell; a list is joined by commas.
/// Throws ErrorKind::usage when the record has no such table.
std::string to_csv(const Record& record, const std::string& table,
                   Language language = Language::en);

/// Answer, verdicts and metrics with their intervals, as Markdown.
std::string to_markdown(const Record& record, Language language = Language::en);

/// What stderr shows after a run: the answer wrapped to `width` columns, a line
/// per claim, the cost. Plain text.
std::string summary(const Record& record, int width, Language language = Language::en);

/// "supported", ..., for people.
Text verdict_text(Verdict verdict);

/// A number with five significant digits; "-" for none.
std::string short_number(const std::optional<double>& value);

/// "[0.1, 0.2]" with five significant digits; "-" for none.
std::string short_interval(const std::optional<Interval>& ci);

}  // namespace xfq::report
