// Granularities: words and counts.
#include "xfq/quant/granularity.h"

#include "samples.h"

using namespace xfq::quant;
using xfq::ErrorKind;
using xfq::test::error_of;

TEST_CASE("words of granularities") {
  for (const char* word : {"tensor", "channel", "token", "group:32", "group:1"}) {
    CHECK(to_string(parse_granularity(word)) == word);
  }
  for (const char* word : {"group", "group:", "group:0", "group:-4", "group:8x", "row", ""}) {
    INFO(word);
    CHECK(error_of([&] { parse_granularity(word); }, ErrorKind::usage).find("--granularity") == 0);
  }
  CHECK(error_of([] { parse_granularity("chanel"); }, ErrorKind::usage)
            .find("did you mean channel?") != std::string::npos);
}

TEST_CASE("scales of a weight") {
  CHECK(weight_scales(Granularity::tensor(), 10, 3) == 1);
  CHECK(weight_scales(Granularity::channel(), 10, 3) == 3);
  CHECK(weight_scales(Granularity::groups_of(4), 10, 3) == 9);  // 4 + 4 + 2
  CHECK(weight_scales(Granularity::groups_of(5), 10, 3) == 6);
  CHECK(weight_scales(Granularity::groups_of(64), 10, 3) == 3);
}
