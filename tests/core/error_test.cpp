// The exception type and the assertion macro.
#include "xfq/core/error.h"

#include <string>

#include "refused.h"

using namespace xfq;
using xfq::test::check_refused;

TEST_CASE("an error has a kind, a message and a hint") {
  const Error error(ErrorKind::input, "--corpus: no such file: x", "check the path");
  CHECK(error.kind() == ErrorKind::input);
  CHECK(std::string(error.what()) == "--corpus: no such file: x");
  CHECK(error.hint() == "check the path");
  CHECK(Error(ErrorKind::interrupted, "stopped").hint().empty());
}

TEST_CASE("the throwing functions set the kind") {
  check_refused(ErrorKind::usage, {"a"}, [] { throw_usage("a", "h"); });
  check_refused(ErrorKind::input, {"b"}, [] { throw_input("b"); });
  check_refused(ErrorKind::run, {"c"}, [] { throw_run("c"); });
  try {
    throw_usage("a", "h");
  } catch (const Error& error) {
    CHECK(error.hint() == "h");
  }
}

#ifdef XFQ_ASSERTIONS
TEST_CASE("a false assertion names itself and its place") {
  const int one = 1;
  XFQ_ASSERT(one == 1);
  check_refused(ErrorKind::run, {"one == 2", "error_test.cpp"}, [&] { XFQ_ASSERT(one == 2); });
}
#endif
