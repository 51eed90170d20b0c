// The pool: every job once, results independent of threads, failures by number.
#include "xfq/train/pool.h"

#include <atomic>

#include "catch.h"
#include "xfq/core/error.h"
#include "xfq/core/random.h"

namespace xfq::train {

TEST_CASE("every job runs once, whatever the number of threads") {
  std::vector<double> reference;
  for (const Index threads : {1, 2, 4, 9}) {
    std::vector<double> results(23);
    std::atomic<int> runs{0};
    run_pool_or_throw(23, threads, [&](Index i) {
      ++runs;
      Stream stream(1, "pool", static_cast<std::uint64_t>(i));
      for (int k = 0; k < 1000; ++k) results[static_cast<std::size_t>(i)] += stream.normal();
    });
    CHECK(runs == 23);
    if (reference.empty()) reference = results;
    CHECK(results == reference);
  }
  run_pool_or_throw(0, 4, [](Index) { FAIL("no job was asked for"); });
}

TEST_CASE("after a failure no further job starts") {
  std::atomic<int> runs{0};
  const auto failures = run_pool(50, 1, [&](Index i) {
    ++runs;
    if (i == 3) throw_run("job 3");
  });
  CHECK(runs == 4);
  CHECK(failures[2] == nullptr);
  CHECK(failures[3] != nullptr);
  CHECK(failures[4] != nullptr);
}

TEST_CASE("a failure of the run goes before an interruption") {
  const auto job = [](Index i) {
    if (i == 0) throw Error(ErrorKind::interrupted, "stopped");
    throw_run("broken");
  };
  try {
    run_pool_or_throw(2, 2, job);
    FAIL("both jobs fail");
  } catch (const Error& error) {
    // With two threads job 1 may or may not have started.
    CHECK((error.kind() == ErrorKind::run || error.kind() == ErrorKind::interrupted));
  }
  try {
    run_pool_or_throw(3, 1, [](Index i) {
      if (i == 1) throw_run("broken");
    });
    FAIL("job 1 fails");
  } catch (const Error& error) {
    CHECK(std::string(error.what()) == "broken");
  }
}

}  // namespace xfq::train
