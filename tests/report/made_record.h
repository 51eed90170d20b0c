// A record with something in every field, for the tests of this room.
#pragma once

#include "xfq/core/record.h"

namespace xfq::report {

inline Record made_record() {
  Record record;
  record.schema = "xfq/quantize/1";
  record.question_number = 23;
  record.question_title = "Why INT8?";
  record.config = {{"profile", std::string("quick")},
                   {"seed", std::int64_t{1}},
                   {"bits", std::vector<std::int64_t>{4, 8}},
                   {"lr", 3e-3},
                   {"thresholds", std::vector<double>{0.5, 1.0}},
                   {"calibration", std::vector<std::string>{"minmax", "kl"}},
                   {"corpus", std::string("a \"b\" \xc3\xa9|c")},
                   {"weights_only", false}};
  record.evidence = true;
  // sha256 of no bytes.
  record.data = {{"stories",
                  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                  100,
                  2000,
                  {{"train", 1800}, {"validation", 200}}}};
  record.metrics = {
      {"fp32.loss", 0.1, "nats/token", Interval{0.09, 0.11}, 3, Better::lower, ""},
      {"fp32.top1", 1.0, "share", {}, 3, Better::higher, ""},
      {"int8.bytes", 1e23, "bytes", {}, 1, Better::none, "one run has no interval"},
      {"int8.speed", {}, "tokens/s", {}, 0, Better::higher, "the kernel is \"reference\""}};
  record.tables = {
      {"bits",
       {"bits", "scheme", "loss", "clipped", "scales"},
       {{std::int64_t{4}, std::string("a,b"), 0.25, true, std::vector<double>{0.5, 2.0}},
        {std::int64_t{8}, std::string("say \"hi\""), {}, false, std::vector<double>{1.5}}}},
      {"empty", {}, {}}};
  ClaimTest pass{"the loss grows by at most 0.005",
                 "ci.hi <= 0.005",
                 0.001,
                 Interval{0.0005, 0.0015},
                 3,
                 Outcome::pass,
                 "gaussian",
                 ""};
  ClaimTest undecided{"the speed doubles", "ci.lo >= 2", {}, {}, 0, Outcome::undecided, "",
                      "not measured"};
  ClaimTest fail{"four bits are free", "ci.hi <= 0.005", 0.5, Interval{0.4, 0.6}, 3,
                 Outcome::fail,        "long tails",     ""};
  record.claims = {
      {"quant.int8-sweet-spot",
       "INT8 is the sweet spot.",
       Verdict::conditional,
       "under gaussian",
       {pass, undecided, fail},
       {}},
      {"quant.dynamic-recovers", "Dynamic ranges help.", Verdict::inconclusive, "", {}, 12}};
  record.answer = "Eight bits are free here, four are not.";
  record.warnings = {{"few_seeds", "3 seeds are few", "use --seeds 5"}};
  record.environment = {{"version", std::string("0.1.0")},
                        {"git", {}},
                        {"compiler", std::string("g++ 12.2.0")},
                        {"flags", std::string("-O3")},
                        {"isa", std::string("x86-64-v3")},
                        {"kernel", std::string("avx2")},
                        {"threads", std::int64_t{2}},
                        {"os", std::string("Linux")}};
  record.cost = {12.5, 24.25, 1'000'000, 64'000, 1.5e12, {}, {}, {}};
  record.cost.measurements = {
      {"int8.speedup", 3.25, "ratio", Interval{3.0, 3.5}, 9, Better::higher, ""}};
  record.cost.tests = {{"quant.int8-sweet-spot",
                        {"int8 is twice as fast", "ci.lo >= 2", 3.25, Interval{3.0, 3.5}, 9,
                         Outcome::pass, "", ""}}};
  record.cost.tables = {
      {"speed", {"layer", "fp32_ms", "int8_ms"}, {{std::string("h.0.mlp"), 1.5, 0.5}}}};
  return record;
}

}  // namespace xfq::report
