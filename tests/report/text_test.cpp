// CSV, Markdown and the summary.
#include "xfq/report/text.h"

#include <limits>

#include "catch.h"
#include "made_record.h"
#include "xfq/core/error.h"
#include "xfq/report/json.h"

namespace xfq::report {
namespace {

TEST_CASE("CSV of the metrics") {
  // 0.1 and 1e+23 are the shortest texts that read back exactly; quotes per RFC 4180.
  CHECK(to_csv(made_record(), "metrics") ==
        "id,value,unit,ci_lo,ci_hi,n,better,reason\n"
        "fp32.loss,0.1,nats/token,0.09,0.11,3,lower,\n"
        "fp32.top1,1,share,,,3,higher,\n"
        "int8.bytes,1e+23,bytes,,,1,none,one run has no interval\n"
        "int8.speed,,tokens/s,,,0,higher,\"the kernel is \"\"reference\"\"\"\n");
}

TEST_CASE("CSV of a table and of the claims") {
  CHECK(to_csv(made_record(), "bits") ==
        "bits,scheme,loss,clipped,scales\n"
        "4,\"a,b\",0.25,true,\"0.5,2\"\n"
        "8,\"say \"\"hi\"\"\",,false,1.5\n");
  CHECK(to_csv(made_record(), "claims") ==
        "id,claim,verdict,conditions,statement,condition,rule,value,ci_lo,ci_hi,n,outcome,reason\n"
        "quant.int8-sweet-spot,INT8 is the sweet spot.,conditional,under gaussian,"
        "the loss grows by at most 0.005,gaussian,ci.hi <= 0.005,0.001,0.0005,0.0015,3,pass,\n"
        "quant.int8-sweet-spot,INT8 is the sweet spot.,conditional,under gaussian,"
        "the speed doubles,,ci.lo >= 2,,,,0,undecided,not measured\n"
        "quant.int8-sweet-spot,INT8 is the sweet spot.,conditional,under gaussian,"
        "four bits are free,long tails,ci.hi <= 0.005,0.5,0.4,0.6,3,fail,\n");
}

TEST_CASE("an unknown table names the known ones") {
  try {
    to_csv(made_record(), "bitz");
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::usage);
    CHECK(std::string(error.what()) ==
          "--table: got 'bitz', expected one of metrics, claims, measurements, bits, empty, speed");
  }
}

TEST_CASE("no form prints a number that is not finite") {
  Record record = made_record();
  record.metrics[0].value = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_AS(to_csv(record, "bits"), Error);
  CHECK_THROWS_AS(to_markdown(record), Error);
}

TEST_CASE("Markdown has answer, verdicts, metrics with intervals, warnings") {
  Record record = made_record();
  record.claims[0].claim = "a|b <i>";  // must not become a column or markup
  CHECK(to_markdown(record) ==
        "# Question 23: Why INT8?\n"
        "\n"
        "Eight bits are free here, four are not.\n"
        "\n"
        "## Claims\n"
        "\n"
        "| claim | statement | verdict | conditions | seeds needed |\n"
        "| --- | --- | --- | --- | --- |\n"
        "| quant.int8-sweet-spot | a\\|b \\<i> | conditional | under gaussian | - |\n"
        "| quant.dynamic-recovers | Dynamic ranges help. | inconclusive |  | 12 |\n"
        "\n"
        "## Metrics\n"
        "\n"
        "| metric | value | interval | unit | n |\n"
        "| --- | --- | --- | --- | --- |\n"
        "| fp32.loss | 0.1 | [0.09, 0.11] | nats/token | 3 |\n"
        "| fp32.top1 | 1 | - | share | 3 |\n"
        "| int8.bytes | 1e+23 | - | bytes | 1 |\n"
        "| int8.speed | none: the kernel is \"reference\" | - | tokens/s | 0 |\n"
        "\n"
        "## Measured on this machine\n"
        "\n"
        "| metric | value | interval | unit | n |\n"
        "| --- | --- | --- | --- | --- |\n"
        "| int8.speedup | 3.25 | [3, 3.5] | ratio | 9 |\n"
        "\n"
        "## Warnings\n"
        "\n"
        "- few_seeds: 3 seeds are few; use --seeds 5\n"
        "\n"
        "Schema `xfq/quantize/1`, signature `" +
            signature(record) + "`.\n");
  record.evidence = false;
  CHECK(to_markdown(record).find("no evidence") != std::string::npos);
}

TEST_CASE("the summary wraps the answer and aligns the verdicts") {
  Record record = made_record();
  record.answer = "one two three four five six\nseven";
  CHECK(summary(record, 25) ==
        "question 23: Why INT8?\n"
        "  one two three four five\n"
        "  six seven\n"
        "  quant.int8-sweet-spot   conditional (under\n"
        "                          gaussian)\n"
        "  quant.dynamic-recovers  inconclusive (12\n"
        "                          seeds would settle\n"
        "                          it)\n"
        "  int8.speedup  3.25 [3, 3.5] ratio\n"
        "  12.5 s, peak 1 MB, signature " +
            signature(record) + "\n");
  record.evidence = false;
  CHECK(summary(record, 25).find("no evidence") != std::string::npos);
}

TEST_CASE("a Chinese answer breaks anywhere but before and after its marks") {
  const std::string wei = "\xE4\xBD\x8D", stop = "\xE3\x80\x82", open = "\xEF\xBC\x88";
  std::string nine;  // 18 of the 20 columns that are left for text
  for (int i = 0; i < 9; ++i) nine += wei;
  const auto lines = [](const std::string& answer) {
    Record record = made_record();
    record.answer = Text::verbatim(answer);
    const std::string text = summary(record, 22);
    return text.substr(text.find('\n') + 1);
  };
  CHECK(lines(nine + wei + wei).find("  " + nine + wei + "\n  " + wei + "\n") == 0);
  CHECK(lines(nine + wei + stop).find("  " + nine + "\n  " + wei + stop + "\n") == 0);
  CHECK(lines(nine + open + wei).find("  " + nine + "\n  " + open + wei + "\n") == 0);
}

}  // namespace
}  // namespace xfq::report
