// The measurement's shape; its numbers are the machine's.
#include "xfq/quant/layer_speed.h"

#include "samples.h"
#include "tiny_decoder.h"

using namespace xfq::quant;
using xfq::test::TinyDecoder;

TEST_CASE("one row per shape, every product in one of them") {
  TinyDecoder tiny;
  const auto sites = tiny.decoder.linears();
  const auto speeds = measure_layer_speed(sites, 96, 6, 1e-5);
  // 32 -> 96, 32 -> 32, 32 -> 128, 128 -> 32, 32 -> 37
  REQUIRE(speeds.size() == 5);
  CHECK(speeds[0].names == std::vector<std::string>{"h.0.attn.c_attn", "h.1.attn.c_attn"});
  CHECK(speeds[4].names == std::vector<std::string>{"wte"});
  std::size_t products = 0;
  for (const LayerSpeed& speed : speeds) {
    products += speed.names.size();
    CHECK(speed.rows == 96);
    CHECK(speed.fp32_s > 0);
    CHECK(speed.int8_static_s > 0);
    CHECK(speed.int8_dynamic_s > 0);
    CHECK(speed.static_ci.lo <= speed.static_speedup);
    CHECK(speed.static_speedup <= speed.static_ci.hi);
    CHECK(speed.dynamic_ci.lo <= speed.dynamic_speedup);
    CHECK(speed.dynamic_speedup <= speed.dynamic_ci.hi);
  }
  CHECK(products == sites.size());
}
