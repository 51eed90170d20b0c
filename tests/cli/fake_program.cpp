// The command line around an experiment that only pretends: the text cases run
// this program, so that they need no model and no training. `--outcome` chooses
// what happens.
#include <chrono>
#include <cmath>
#include <limits>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "xfq/cli/run.h"
#include "xfq/core/error.h"

namespace {

using namespace xfq;

class Fake : public experiments::Experiment {
 public:
  void describe(OptionTable& table) override {
    table.group("Run");
    table.integer("seed", seed_, "First seed", {0});
    table.integer("threads", threads_, "Runs side by side, 0 for all processors", {0, 1024})
        .runtime = true;
    table.flag("cache", cache_, "Keep trained models").runtime = true;
    table.group("Pretence");
    table.integers("bits", bits_, "Bits of a number", {2, 32});
    table.real("lr", lr_, "Learning rate", {0, 1, true, false});
    table.choice("calibration", calibration_, "How the range is found", {"minmax", "kl"});
    table.text("corpus", corpus_, "Stories or a file", "NAME");
    table.flag("weights_only", weights_only_, "Leave activations alone");
    table.integer("steps", steps_, "Steps of each run", {1});
    table.real("shift", shift_, "Added to the loss");
    table.choice("outcome", outcome_, "What happens",
                 {"fine", "nan", "diverge", "interrupt", "memory", "bug", "slow", "wait", "deaf"});
  }

  void apply_profile(experiments::Profile profile) override {
    steps_ = profile == experiments::Profile::smoke  ? 10
             : profile == experiments::Profile::full ? 1000
                                                     : 100;
  }

  void check() override {
    if (weights_only_ && calibration_ == "kl") {
      throw_usage("--weights-only: got --calibration kl beside it, expected minmax");
    }
  }

  Record run(Monitor& monitor) override {
    if (outcome_ == "diverge") throw_run("the loss is NaN at step 12 of 100", "lower --lr");
    if (outcome_ == "interrupt") throw Error(ErrorKind::interrupted, "no run had finished");
    if (outcome_ == "memory") throw std::bad_alloc();
    if (outcome_ == "bug") throw std::logic_error("index 7 of 5");

    Record record;
    record.schema = "xfq/fake/1";
    record.question_number = 23;
    record.question_title = "Does the command line work?";
    monitor.plan(2);
    monitor.say("two runs");
    for (int run = 0; run < 2 && !monitor.stop_requested(); ++run) {
      const std::string label = "seed " + std::to_string(run + 1);
      // "wait" and "deaf" only end by a signal; the bound keeps a broken test from hanging.
      const bool deaf = outcome_ == "deaf";
      const int pauses = outcome_ == "wait" || deaf ? 10000 : outcome_ == "slow" ? 150 : 0;
      for (int pause = 0; pause < pauses && (deaf || !monitor.stop_requested()); ++pause) {
        monitor.progress(label, pause + 1, pauses, 2.5);
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
      monitor.finished(label);
    }
    if (monitor.stop_requested()) {
      record.warnings.push_back({"interrupted", "stopped by a signal", "run it again"});
    }
    const double loss = outcome_ == "nan" ? std::numeric_limits<double>::quiet_NaN() : 2.5 + shift_;
    record.metrics.push_back({"fp32.loss", loss, "nats/token", Interval{loss - 0.125, loss + 0.125},
                              2, Better::lower, ""});
    record.metrics.push_back({"fp32.accuracy", 0.5 - shift_, "share", {}, 2, Better::higher, ""});
    record.metrics.push_back({"int8.speed", {}, "tokens/s", {}, 0, Better::higher, "not measured"});
    Table table{"bits", {"bits", "loss"}, {}};
    for (const std::int64_t bits : bits_) {
      table.rows.push_back({bits, loss + std::ldexp(1.0, -static_cast<int>(bits))});
    }
    record.tables.push_back(table);
    ClaimTest test;
    test.statement = "the loss is at most 3 nats";
    test.rule = "ci.hi <= 3";
    test.value = loss;
    test.ci = Interval{loss - 0.125, loss + 0.125};
    test.n = 2;
    test.outcome = loss + 0.125 <= 3 ? Outcome::pass : Outcome::fail;
    record.claims.push_back({"fake.works",
                             "The command line works.",
                             test.outcome == Outcome::pass ? Verdict::supported : Verdict::refuted,
                             "on made data",
                             {test},
                             {}});
    record.answer = "It works.";
    record.environment = {{"kernel", std::string("none")}};
    return record;
  }

 private:
  std::int64_t seed_ = 1;
  std::int64_t threads_ = 0;
  bool cache_ = true;
  std::vector<std::int64_t> bits_ = {8};
  double lr_ = 3e-3;
  std::string calibration_ = "minmax";
  std::string corpus_ = "stories";
  bool weights_only_ = false;
  std::int64_t steps_ = 0;
  double shift_ = 0;
  std::string outcome_ = "fine";
};

std::unique_ptr<experiments::Experiment> make_fake() { return std::make_unique<Fake>(); }

}  // namespace

int main(int argc, char** argv) {
  return xfq::cli::run(
      argc, argv,
      {{"fake", "Question 23: pretend to measure", 23, {"--bits 8", "--bits 2,4,8 -q"}, make_fake},
       {"quantize", "Question 23: pretend to quantize", 23, {}, make_fake}});
}
