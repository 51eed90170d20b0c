// The texts of data/explain: how a name finds its entry, and that none is missing.
#include "xfq/report/explain.h"

#include <filesystem>
#include <set>

#include "catch.h"

namespace xfq::report {
namespace {

TEST_CASE("places in a name stand for anything, dots included") {
  CHECK(fits("fp32.nll", "fp32.nll"));
  CHECK_FALSE(fits("fp32.nll", "fp32.nll.x"));
  CHECK(fits("<arm>.nll", "w8a8.mse.nll"));
  CHECK_FALSE(fits("<arm>.nll", ".nll"));
  CHECK_FALSE(fits("<arm>.nll", "w8a8.nl"));
  CHECK(fits("recover.<bits>.<way>.recovered", "recover.8.qat.recovered"));
  CHECK_FALSE(fits("recover.<bits>.<way>.recovered", "recover.8.recovered"));
}

TEST_CASE("every entry is whole, in both languages, and stands once") {
  const std::set<std::string> kinds = {"metric", "column", "claim", "term"};
  std::set<std::string> seen;
  for (const Explanation& entry : explanations()) {
    INFO(entry.experiment + " " + entry.kind + " " + entry.name);
    CHECK(kinds.count(entry.kind) == 1);
    CHECK_FALSE(entry.name.empty());
    CHECK_FALSE(entry.text.empty());
    if (entry.kind != "claim") {
      CHECK(entry.text.translated());
      CHECK(entry.text.in(Language::zh) != entry.text.english());
    }
    if (!entry.source.empty()) {
      CHECK(std::filesystem::exists(std::filesystem::path(XFQ_SOURCE_DIR) / entry.source));
    }
    CHECK(seen.insert(entry.experiment + " " + entry.kind + " " + entry.name).second);
  }
  CHECK(seen.size() > 10);
}

TEST_CASE("a user's name finds terms and columns") {
  const auto found = explain("perplexity");
  REQUIRE_FALSE(found.empty());
  CHECK(found[0]->kind == "term");
  CHECK(explain("perplexit").empty());
  CHECK(explain("").empty());
  // A column of every table, found with a table and without.
  REQUIRE(explain_column("quantize", "arms", "seed") != nullptr);
  CHECK(explain_column("quantize", "arms", "seed")->name == "seed");
  CHECK(explain_column("quantize", "arms", "nothing") == nullptr);
  CHECK(explain_metric("quantize", "nothing.at.all") == nullptr);
  CHECK(explain_claim("quant.nothing") == nullptr);
}

}  // namespace
}  // namespace xfq::report
