// The loops of an int8 layer, compiled once per instruction set by int8_<isa>.cpp, which
// defines in the namespace around this file:
//   kTileRows, kTileVectors   the largest tile, its columns in vectors of 16
//   Code                      what a code is stored as in the block of rows
//   kStep                     how many codes one step makes: 16, 32 or 64
//   quantize_step(x, scale, to)   kStep floats become codes (of type Code or u8)
//   copy_step(codes, to)          kStep codes are stored as Code
//   no_magnitudes(), magnitude_step(x, largest), reduce_max(largest)   the largest |x|
//   tile<rows, vectors>(groups, a, stride, b, t)
// Integer sums are exact, so their order is free.
//
// Loops: blocks of rows, quantized once into the first- or second-level cache; blocks of
// columns of W that stay in the second-level cache; strips of rows; panels; the tile.

constexpr Size kBlockWeights = 256 * 1024;   // bytes of W
constexpr Size kBlockCodes = 128 * 1024;     // bytes of a block of rows, if W has several blocks
constexpr Size kSmallBlockCodes = 8 * 1024;  // if it has one
constexpr Size kMostStrips = 32;
// Rows this far apart fall on the same lines of the first-level cache.
constexpr Size kAliasingBytes = 1024;

XFQ_INLINE Size smaller(Size a, Size b) { return a < b ? a : b; }
XFQ_INLINE Size larger(Size a, Size b) { return a > b ? a : b; }
XFQ_INLINE Size divided_up(Size a, Size b) { return (a + b - 1) / b; }
XFQ_INLINE Size rounded_up(Size a, Size b) { return divided_up(a, b) * b; }
// `count` elements cut into `parts` nearly equal parts: where part i begins.
XFQ_INLINE Size part_begin(Size count, Size parts, Size i) {
  return i * (count / parts) + smaller(i, count % parts);
}

using TileFunction = void (*)(Size groups, const Code* a, Size stride, const std::int8_t* b,
                              const Tile& t);

// tiles.of[vectors - 1][rows - 1]
struct TileTable {
  TileFunction of[kTileVectors][kTileRows] = {};
  template <int vectors, int rows>
  constexpr void fill() {
    of[vectors - 1][rows - 1] = tile<rows, vectors>;
    if constexpr (rows > 1) {
      fill<vectors, rows - 1>();
    } else if constexpr (vectors > 1) {
      fill<vectors - 1, kTileRows>();
    }
  }
  constexpr TileTable() { fill<kTileVectors, kTileRows>(); }
};
static constexpr TileTable kTiles;

// Writes a multiple of kStep codes.
static void quantize_row(Size size, const float* x, const Int8Scale& scale, Code* to) {
  Size i = 0;
  for (; i + kStep <= size; i += kStep) quantize_step(x + i, scale, to + i);
  if (i < size) {
    float rest[kStep] = {};
    for (Size j = 0; i + j < size; ++j) rest[j] = x[i + j];
    quantize_step(rest, scale, to + i);
  }
}

static void quantize(Size size, const float* x, const Int8Scale& scale, std::uint8_t* codes) {
  Size i = 0;
  for (; i + kStep <= size; i += kStep) quantize_step(x + i, scale, codes + i);
  if (i < size) {
    float rest[kStep] = {};
    std::uint8_t made[kStep];
    for (Size j = 0; i + j < size; ++j) rest[j] = x[i + j];
    quantize_step(rest, scale, made);
    for (Size j = 0; i + j < size; ++j) codes[i + j] = made[j];
  }
}

static void copy_row(Size size, const std::uint8_t* codes, Code* to) {
  Size i = 0;
  for (; i + kStep <= size; i += kStep) copy_step(codes + i, to + i);
  if (i < size) {
    std::uint8_t rest[kStep] = {};
    for (Size j = 0; i + j < size; ++j) rest[j] = codes[i + j];
    copy_step(rest, to + i);
  }
}

static float largest_magnitude(Size size, const float* x) {
  Magnitudes largest = no_magnitudes();
  Size i = 0;
  for (; i + kStep <= size; i += kStep) largest = magnitude_step(x + i, largest);
  if (i < size) {
    float rest[kStep] = {};
    for (Size j = 0; i + j < size; ++j) rest[j] = x[i + j];
    largest = magnitude_step(rest, largest);
  }
  const float all = reduce_max(largest);
  return all < __FLT_MAX__ ? all : __FLT_MAX__;
}

// Panels of the columns from .. to for one strip of rows.
static void panels_of_strip(const Int8Call& g, Size groups, const Code* a, Size stride, Size rows,
                            const float* steps, Size first_row, Size from, Size to) {
  alignas(64) std::int32_t waiting_sums[kTileRows * kInt8Panel];
  alignas(64) float waiting[kTileRows * kInt8Panel];
  alignas(64) float weight_steps[kInt8Panel], bias[kInt8Panel];
  for (Size j0 = from; j0 < to; j0 += kInt8Panel) {
    const Size width = smaller(kInt8Panel, rounded_up(to - j0, 16));
    for (Size j = j0; j < j0 + width; j += kTileVectors * 16) {
      const Size vectors = smaller(kTileVectors, (j0 + width - j) / 16);
      const Size columns = smaller(vectors * 16, to - j);
      const bool whole = columns == vectors * 16;
      Tile t;
      t.b_stride = width * kInt8Group;
      t.column_sums = g.column_sums + j;
      t.zero_point = g.codes == nullptr ? g.scale.zero_point : 0;
      t.row_steps = steps;
      t.column_steps = nullptr;
      t.bias = nullptr;
      t.y = nullptr;
      t.c = nullptr;
      if (g.codes != nullptr) {
        t.c = whole ? g.c + first_row * g.ldc + j : waiting_sums;
        t.ldc = whole ? g.ldc : kInt8Panel;
      } else {
        t.y = whole ? g.y + first_row * g.ldy + j : waiting;
        t.ldy = whole ? g.ldy : kInt8Panel;
        t.column_steps = g.weight_steps + j;
        if (g.bias != nullptr) t.bias = g.bias + j;
        if (!whole) {
          for (Size i = 0; i < kInt8Panel; ++i) {
            weight_steps[i] = i < columns ? g.weight_steps[j + i] : 0.0f;
            bias[i] = i < columns && g.bias != nullptr ? g.bias[j + i] : 0.0f;
          }
          t.column_steps = weight_steps;
          if (g.bias != nullptr) t.bias = bias;
        }
      }
      const std::int8_t* b = g.panels + j0 * groups * kInt8Group + (j - j0) * kInt8Group;
      kTiles.of[vectors - 1][rows - 1](groups, a, stride, b, t);
      if (!whole) {
        for (Size r = 0; r < rows; ++r) {
          for (Size i = 0; i < columns; ++i) {
            if (g.codes != nullptr) {
              g.c[(first_row + r) * g.ldc + j + i] = waiting_sums[r * kInt8Panel + i];
            } else {
              g.y[(first_row + r) * g.ldy + j + i] = waiting[r * kInt8Panel + i];
            }
          }
        }
      }
    }
  }
}

static void run(const Int8Call& g) {
  const Size groups = divided_up(g.k, kInt8Group);
  Size stride = rounded_up(larger(g.k, 1), 64);
  if (stride * static_cast<Size>(sizeof(Code)) % kAliasingBytes == 0) stride += 64;
  const Size row_bytes = stride * static_cast<Size>(sizeof(Code));

  const Size panel_bytes = larger(groups, 1) * kInt8Group * kInt8Panel;
  const Size block_n = larger(kBlockWeights / panel_bytes, 1) * kInt8Panel;
  const Size block_bytes = g.n > block_n ? kBlockCodes : kSmallBlockCodes;
  const Size most_strips = smaller(kMostStrips, larger(block_bytes / row_bytes / kTileRows, 1));
  const Size strips = divided_up(g.m, kTileRows);

  // Codes that can be read as they lie: whole groups of bytes, rows that do not collide.
  const bool in_place = g.codes != nullptr && sizeof(Code) == 1 && g.k % kInt8Group == 0 &&
                        g.ld_codes % kAliasingBytes != 0;
  Code* block = static_cast<Code*>(scratch(Slot::codes, most_strips * kTileRows * row_bytes));
  float steps[kMostStrips * kTileRows];
  for (Size first = 0; first < strips; first += most_strips) {
    const Size end = smaller(first + most_strips, strips);
    const Size origin = part_begin(g.m, strips, first);
    const Size rows = part_begin(g.m, strips, end) - origin;
    const Code* a = block;
    Size a_stride = stride;
    if (in_place) {
      a = reinterpret_cast<const Code*>(g.codes + origin * g.ld_codes);
      a_stride = g.ld_codes;
    }
    for (Size r = 0; r < rows && !in_place; ++r) {
      Code* to = block + r * stride;
      if (g.codes != nullptr) {
        copy_row(g.k, g.codes + (origin + r) * g.ld_codes, to);
      } else {
        const float* x = g.x + (origin + r) * g.ldx;
        const Int8Scale scale =
            g.dynamic ? int8_row_scale(g.scale, largest_magnitude(g.k, x)) : g.scale;
        quantize_row(g.k, x, scale, to);
        steps[r] = scale.step;
      }
    }
    for (Size j = 0; j < g.n; j += block_n) {
      for (Size s = first; s < end; ++s) {
        const Size i = part_begin(g.m, strips, s), tall = part_begin(g.m, strips, s + 1) - i;
        panels_of_strip(g, groups, a + (i - origin) * a_stride, a_stride, tall, steps + i - origin,
                        i, j, smaller(j + block_n, g.n));
      }
    }
  }
}
