// The choice of an implementation, and what `check` records.
#include <algorithm>

#include "support.h"
#include "xfq/core/error.h"

using namespace xfq::kernels;
using namespace xfq::kernels::test;
using xfq::Index;

TEST_CASE("every available implementation can be selected and tells its name") {
  const std::vector<std::string> names = available();
  for (const char* name : {"portable", "eigen", "reference", "check"}) {
    CHECK(std::count(names.begin(), names.end(), name) == 1);
  }
  CHECK(std::count(names.begin(), names.end(), "auto") == 0);
  for (const std::string& name : names) {
    Using implementation(name);
    CHECK(selected() == name);
  }
  select("auto");
  CHECK(selected() == names.front());  // best first
}

TEST_CASE("an unknown kernel is a usage error that suggests the nearest") {
  try {
    select("avx521");
    FAIL("no error");
  } catch (const xfq::Error& error) {
    CHECK(error.kind() == xfq::ErrorKind::usage);
    CHECK(std::string(error.what()).find("'avx521'") != std::string::npos);
    CHECK(error.hint().find("'avx512'") != std::string::npos);
  }
  CHECK(selected() == available().front());  // unchanged
}

TEST_CASE("a kernel that the processor lacks is a usage error that lists the others") {
  const std::vector<std::string> names = available();
  for (const char* name : {"avx2", "avx512"}) {
    if (std::count(names.begin(), names.end(), name) != 0) continue;
    try {
      select(name);
      FAIL("no error");
    } catch (const xfq::Error& error) {
      CHECK(error.kind() == xfq::ErrorKind::usage);
      CHECK(error.hint().find("portable") != std::string::npos);
    }
  }
  SUCCEED();  // a processor with everything has nothing to refuse
}

TEST_CASE("check records every function and finds no difference") {
  Using implementation("check");
  const Index n = 33;
  Numbers numbers(1);
  Floats x = numbers.fill<float>(n * n), y = numbers.fill<float>(n * n), z(x.size());
  Gemm<float> g;
  g.m = g.n = g.k = n;
  g.a = x.data();
  g.a_row = n;
  g.b = y.data();
  g.b_row = n;
  g.c = z.data();
  g.ldc = n;
  g.accumulate = true;
  gemm(g);
  softmax_rows(n, n, z.data(), n);
  activation_forward(Activation::gelu_erf, n * n, x.data(), z.data());
  CHECK(sum_squares(n, x.data()) > 0);
  const std::vector<CheckReport> reports = check_report();
  std::vector<std::string> seen;
  for (const CheckReport& report : reports) {
    seen.push_back(report.function);
    CHECK(report.worst == 0);  // same bits by construction
    CHECK(report.calls >= 1);
  }
  CHECK(std::is_sorted(seen.begin(), seen.end()));
  for (const char* name : {"activation_forward", "gemm", "softmax_rows", "sum_squares"}) {
    CHECK(std::count(seen.begin(), seen.end(), name) == 1);
  }
}
