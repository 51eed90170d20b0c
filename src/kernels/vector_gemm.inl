// Matrix products: tiles of the result held in registers, over packed panels of B.
// Included by vector_kernels.inl.
//
// One tile takes its products in increasing k, one fused multiply-add each; from
// one k-block to the next it is stored and loaded again, which changes no bit. So
// the block sizes below, the tile's size and the packing are free to be tuned.
//
// Loops: column blocks of B that stay in the second-level cache; k-blocks; strips
// of rows of A that stay in the first-level cache; panels of B; the tile.

constexpr int kTileRows = XFQ_TILE_ROWS;
constexpr int kTileVectors = XFQ_TILE_VECTORS;
constexpr Size kPanel = kTileVectors * kLanes;
constexpr Size kBlockK = 512;              // A with contiguous rows
constexpr Size kBlockKColumns = 256;       // A with contiguous columns, which is packed
constexpr Size kBlockFloats = 128 * 1024;  // of packed B: 512 KiB
// Up to this m + n, a k-block of both operands fits so well into the second-level
// cache that copies do not pay.
constexpr Size kUnpacked = 320;
// Rows this far apart (4 KiB) fall on the same lines of the first-level cache.
constexpr Size kAliasingStride = 1024;
constexpr Size kStripGroup = 8;  // strips of a transposed A packed at a time

// --- the tile ---------------------------------------------------------------------

// How A lies in memory, and which products a causal triangle leaves out.
enum Layout {
  kRows,     // A(r, p) = a[r * stride + p]; after the k steps come `corner` more, of
             // which step i is for the rows > i only
  kColumns,  // A(r, p) = a[p * stride + r]; before the k steps come `corner` more, none or
             // rows - 1, of which step i is for the rows <= i only
  kLayouts
};

struct Tile {
  const float* from;  // values to add to, or null for 0
  Size ld_from;
  float* to;
  Size ld_to;
  const float* bias;      // or null
  const float* residual;  // or null
  Size ld_residual;
  Size last;  // columns of the last vector, 1 to 16
  Size corner;
};

// Vector v of a row of a tile; the last one may be a part.
template <int vectors>
XFQ_INLINE F16 load_of(const float* row, int v, Size last) {
  return v < vectors - 1 || last == kLanes ? load(row + v * 16)
                                           : load_n(row + v * 16, last, set1(0.0f));
}
template <int vectors>
XFQ_INLINE void store_of(float* row, int v, Size last, F16 x) {
  if (v < vectors - 1 || last == kLanes) {
    store(row + v * 16, x);
  } else {
    store_n(row + v * 16, last, x);
  }
}

// Where the next step reads A. Rows are reached from every fifth one by small
// multiples of the stride, which keeps the number of address registers low.
template <int rows, int layout>
struct Reader {
  const float* a0;
  const float* a5;
  const float* a10;
  Size stride, stride3;
};
template <int rows, int layout>
XFQ_INLINE F16 read(const Reader<rows, layout>& in, int r, Size p) {
  if (layout == kColumns) return set1(in.a0[p * in.stride + r]);
  const float* base = (r < 5 ? in.a0 : r < 10 ? in.a5 : in.a10) + p;
  return set1(r % 5 == 3 ? base[in.stride3] : base[r % 5 * in.stride]);
}
template <int rows, int layout>
XFQ_INLINE void advance(Reader<rows, layout>& in, Size steps) {
  if (layout == kColumns) {
    in.a0 += steps * in.stride;
  } else {
    in.a0 += steps;
    if (rows > 5) in.a5 += steps;
    if (rows > 10) in.a10 += steps;
  }
}

// One product for the rows first <= r < end.
template <int rows, int vectors, int layout>
XFQ_INLINE void step(F16 (&sum)[rows][vectors], const Reader<rows, layout>& in, Size p,
                     const float* b, int first, int end) {
  F16 bv[vectors];
  XFQ_UNROLL
  for (int v = 0; v < vectors; ++v) bv[v] = load(b + v * 16);
  XFQ_UNROLL
  for (int r = 0; r < rows; ++r) {
    if (r >= first && r < end) {
      const F16 av = read(in, r, p);
      XFQ_UNROLL
      for (int v = 0; v < vectors; ++v) sum[r][v] = fma(av, bv[v], sum[r][v]);
    }
  }
}

// to[rows, 16 vectors] = from + A B (+ bias) (+ residual); B(p, j) = b[p * b_stride + j],
// readable in whole vectors.
template <int rows, int vectors, int layout>
static void tile(Size k, const float* a, Size stride, const float* b, Size b_stride,
                 const Tile& t) {
  const Size last = t.last;
  F16 sum[rows][vectors];
  XFQ_UNROLL
  for (int r = 0; r < rows; ++r) {
    XFQ_UNROLL
    for (int v = 0; v < vectors; ++v) sum[r][v] = set1(0.0f);
  }
  if (t.from != nullptr) {
    const float* row = t.from;
    XFQ_UNROLL
    for (int r = 0; r < rows; ++r, row += t.ld_from) {
      XFQ_UNROLL
      for (int v = 0; v < vectors; ++v) sum[r][v] = load_of<vectors>(row, v, last);
    }
  }

  // A large C is not in the cache: fetch the lines of the next panel in the meantime.
  if (k >= 32) {
    const float* row = t.to + vectors * 16;
    XFQ_UNROLL
    for (int r = 0; r < rows; ++r, row += t.ld_to) {
      XFQ_UNROLL
      for (int v = 0; v < vectors; ++v) __builtin_prefetch(row + v * 16, 1, 3);
    }
  }
  const Size stride5 = layout == kRows ? 5 * stride : 0;
  Reader<rows, layout> in = {a, rows > 5 ? a + stride5 : a, rows > 10 ? a + 2 * stride5 : a, stride,
                             3 * stride};
  if (layout == kColumns && t.corner > 0) {
    XFQ_UNROLL
    for (int i = 0; i < rows - 1; ++i) {
      step<rows, vectors, layout>(sum, in, 0, b, 0, i + 1);
      advance(in, 1);
      b += b_stride;
    }
  }
  for (; k >= 2; k -= 2) {
    step<rows, vectors, layout>(sum, in, 0, b, 0, rows);
    step<rows, vectors, layout>(sum, in, 1, b + b_stride, 0, rows);
    advance(in, 2);
    b += 2 * b_stride;
  }
  if (k > 0) {
    step<rows, vectors, layout>(sum, in, 0, b, 0, rows);
    advance(in, 1);
    b += b_stride;
  }
  if (layout == kRows && t.corner > 0) {
    const Size corner = t.corner;
    XFQ_UNROLL
    for (int i = 0; i < rows - 1; ++i) {
      if (i < corner) {
        step<rows, vectors, layout>(sum, in, 0, b, i + 1, rows);
        advance(in, 1);
        b += b_stride;
      }
    }
  }

  if (t.bias != nullptr) {
    XFQ_UNROLL
    for (int v = 0; v < vectors; ++v) {
      const F16 bias = load_of<vectors>(t.bias, v, last);
      XFQ_UNROLL
      for (int r = 0; r < rows; ++r) sum[r][v] = add(sum[r][v], bias);
    }
  }
  if (t.residual != nullptr) {
    const float* row = t.residual;
    XFQ_UNROLL
    for (int r = 0; r < rows; ++r, row += t.ld_residual) {
      XFQ_UNROLL
      for (int v = 0; v < vectors; ++v) {
        sum[r][v] = add(sum[r][v], load_of<vectors>(row, v, last));
      }
    }
  }
  float* row = t.to;
  XFQ_UNROLL
  for (int r = 0; r < rows; ++r, row += t.ld_to) {
    XFQ_UNROLL
    for (int v = 0; v < vectors; ++v) store_of<vectors>(row, v, last, sum[r][v]);
  }
}

using TileFunction = void (*)(Size k, const float* a, Size stride, const float* b, Size b_stride,
                              const Tile& t);

// tiles.of[layout][vectors - 1][rows - 1]
struct TileTable {
  TileFunction of[kLayouts][kTileVectors][kTileRows] = {};
  template <int layout, int vectors, int rows>
  constexpr void fill() {
    of[layout][vectors - 1][rows - 1] = tile<rows, vectors, layout>;
    if constexpr (rows > 1) {
      fill<layout, vectors, rows - 1>();
    } else if constexpr (vectors > 1) {
      fill<layout, vectors - 1, kTileRows>();
    } else if constexpr (layout > 0) {
      fill<layout - 1, kTileVectors, kTileRows>();
    }
  }
  constexpr TileTable() { fill<kLayouts - 1, kTileVectors, kTileRows>(); }
};
static constexpr TileTable kTiles;

// --- packing -------------------------------------------------------------------------

// `count` elements cut into `parts` nearly equal parts: where part i begins.
XFQ_INLINE Size part_begin(Size count, Size parts, Size i) {
  return i * (count / parts) + smaller(i, count % parts);
}

// Columns of the panel that begins at column j of n, in whole vectors.
XFQ_INLINE Size panel_width(Size n, Size j) { return smaller(kPanel, rounded_up(n - j, kLanes)); }

// Rows are read a few at a time from end to end: memory comes faster in long runs.
constexpr Size kPackRows = 8;

// Columns j .. j + width of rows `first` .. `end` of B with contiguous rows, to
// dst[row - first, width]; zeros past column n.
XFQ_INLINE void pack_rows(Size first, Size end, Size n, const float* b, Size b_row, Size j,
                          Size width, float* dst) {
  const Size columns = smaller(width, n - j), whole = columns / kLanes * kLanes;
  const F16 zero = set1(0.0f);
  for (Size p = first; p < end; ++p, dst += width) {
    const float* from = b + p * b_row + j;
    for (Size v = 0; v < whole; v += kLanes) store(dst + v, load(from + v));
    if (whole < width) store(dst + whole, load_n(from + whole, columns - whole, zero));
  }
}

// Columns j .. j + width of B with contiguous columns, k rows, to dst[k, width]; zeros
// past column n. 16 columns at a time, turned.
static void pack_turned(Size k, Size n, const float* b, Size b_col, Size j, Size width,
                        float* dst) {
  const F16 zero = set1(0.0f);
  for (Size v = 0; v < width; v += kLanes) {
    const float* from = b + (j + v) * b_col;
    const Size columns = smaller(kLanes, n - j - v);
    for (Size p = 0; p < k; p += kLanes) {
      const Size depth = smaller(kLanes, k - p);
      F16 block[16];
      if (columns == kLanes && depth == kLanes) {
        XFQ_UNROLL
        for (int i = 0; i < 16; ++i) block[i] = load(from + i * b_col + p);
      } else {
        for (int i = 0; i < 16; ++i) {
          block[i] = i < columns ? load_n(from + i * b_col + p, depth, zero) : zero;
        }
      }
      transpose(block);
      float* to = dst + p * width + v;
      if (depth == kLanes) {
        XFQ_UNROLL
        for (int i = 0; i < 16; ++i) store(to + i * width, block[i]);
      } else {
        for (Size i = 0; i < depth; ++i) store(to + i * width, block[i]);
      }
    }
  }
}

// All panels of B(k, n); the panel of column j begins at dst + j * k.
static void pack_panels(Size k, Size n, const float* b, Size b_row, Size b_col, float* dst) {
  if (b_col != 1) {
    for (Size j = 0; j < n; j += kPanel) {
      pack_turned(k, n, b, b_col, j, panel_width(n, j), dst + j * k);
    }
    return;
  }
  for (Size p = 0; p < k; p += kPackRows) {
    for (Size j = 0; j < n; j += kPanel) {
      const Size width = panel_width(n, j);
      pack_rows(p, smaller(p + kPackRows, k), n, b, b_row, j, width, dst + j * k + p * width);
    }
  }
}

// Floats between the strips of a packed A of k columns: whole vectors are stored, the
// last of a strip beyond its end.
XFQ_INLINE Size strip_stride(Size k) { return kTileRows * k + kLanes; }

// A with contiguous columns: strips `first` .. `end` of `strips`, each as [k, rows of the
// strip].
static void pack_strips(Size k, Size m, const float* a, Size a_col, Size strips, Size first,
                        Size end, float* dst) {
  const F16 zero = set1(0.0f);
  for (Size p0 = 0; p0 < k; p0 += kPackRows) {
    const Size p1 = smaller(p0 + kPackRows, k);
    for (Size s = first; s < end; ++s) {
      const Size i = part_begin(m, strips, s), rows = part_begin(m, strips, s + 1) - i;
      const float* from = a + i;
      float* to = dst + (s - first) * strip_stride(k);
      if (i + kLanes <= m) {
        for (Size p = p0; p < p1; ++p) store(to + p * rows, load(from + p * a_col));
      } else {
        for (Size p = p0; p < p1; ++p) {
          store(to + p * rows, load_n(from + p * a_col, m - i, zero));
        }
      }
    }
  }
}

// --- the product -----------------------------------------------------------------------

template <class F>
XFQ_INLINE void finish_row(Size n, const float* from, float* c, const float* residual, F f) {
  if (residual == nullptr) {
    map(n, from, c, f);
  } else {
    map(n, from, residual, c, [&](F16 x, F16 old) { return add(f(x), old); });
  }
}

// Activation and residual of a finished tile, while it is in the cache.
static void finish(int activation, Size rows, Size n, const float* from, Size ld_from, float* c,
                   Size ldc, const float* residual, Size ld_residual) {
  for (Size i = 0; i < rows; ++i, from += ld_from, c += ldc) {
    const float* old = residual == nullptr ? nullptr : residual + i * ld_residual;
    if (activation == 1) {
      finish_row(n, from, c, old, [](F16 x) { return gelu_tanh(x); });
    } else if (activation == 2) {
      finish_row(n, from, c, old, [](F16 x) { return gelu_erf(x); });
    } else {
      finish_row(n, from, c, old, [](F16 x) { return x; });
    }
  }
}

static void gemm(const GemmCall& g) {
  if (g.m <= 0 || g.n <= 0) return;
  const Size m = g.m, n = g.n, k = g.k < 0 ? 0 : g.k;
  const bool by_rows = g.a_col == 1;
  const bool separate_finish = g.activation != 0 || g.pre != nullptr;
  const Size most_k = by_rows ? kBlockK : kBlockKColumns;
  const Size k_blocks = k > most_k ? divided_up(k, most_k) : 1;

  // Between k-blocks the sums wait in C, unless C still holds the residual.
  float* partial = g.c;
  Size ld_partial = g.ldc;
  if (k_blocks > 1 && g.residual != nullptr && !g.accumulate) {
    partial = scratch_floats(Slot::partial, m * n);
    ld_partial = n;
  }

  alignas(64) float waiting[kTileRows * kPanel];

  const Size strips = divided_up(m, kTileRows);
  // One strip uses each element of B once: not worth a copy.
  const bool pack_b = g.b_col != 1 || (strips > 1 && m + n > kUnpacked);
  const bool pack_a = !by_rows && m + n > kUnpacked;
  const bool copy_a = by_rows && g.a_row % kAliasingStride == 0;
  const Size block_k = divided_up(k, k_blocks);
  const Size most_n = kBlockFloats / (block_k > 0 ? block_k : 1) / kPanel * kPanel;
  const Size n_blocks = pack_b ? divided_up(n, most_n) : 1;
  const Size block_n = rounded_up(divided_up(n, n_blocks), kPanel);

  for (Size j0 = 0; j0 < n; j0 += block_n) {
    const Size width_n = smaller(block_n, n - j0);
    for (Size block = 0; block < k_blocks; ++block) {
      const Size p0 = part_begin(k, k_blocks, block);
      const Size depth = part_begin(k, k_blocks, block + 1) - p0;
      const bool last_block = block + 1 == k_blocks;
      const float* b = g.b + p0 * g.b_row + j0 * g.b_col;
      float* packed_b = nullptr;
      if (pack_b) {
        packed_b = scratch_floats(Slot::packed_b, depth * rounded_up(width_n, kLanes));
        pack_panels(depth, width_n, b, g.b_row, g.b_col, packed_b);
      } else if (width_n % kLanes != 0) {
        // Only the panel with a part of a vector.
        const Size j = (width_n - 1) / kPanel * kPanel;
        packed_b = scratch_floats(Slot::packed_b, depth * kPanel);
        pack_rows(0, depth, width_n, b, g.b_row, j, panel_width(width_n, j), packed_b);
      }

      for (Size group = 0; group < strips; group += kStripGroup) {
        const Size group_end = smaller(group + kStripGroup, strips);
        float* packed_a = nullptr;
        if (pack_a) {
          packed_a = scratch_floats(Slot::packed_a, kStripGroup * strip_stride(depth));
          pack_strips(depth, m, g.a + p0 * g.a_col, g.a_col, strips, group, group_end, packed_a);
        }
        for (Size s = group; s < group_end; ++s) {
          const Size i = part_begin(m, strips, s), rows = part_begin(m, strips, s + 1) - i;
          const float* a = g.a + i * g.a_row + p0 * g.a_col;
          Size stride = by_rows ? g.a_row : g.a_col;
          if (pack_a) {
            a = packed_a + (s - group) * strip_stride(depth);
            stride = rows;
          } else if (copy_a) {
            packed_a = scratch_floats(Slot::packed_a, kTileRows * depth);
            for (Size r = 0; r < rows; ++r) {
              map(depth, a + r * stride, packed_a + r * depth, [](F16 x) { return x; });
            }
            a = packed_a;
            stride = depth;
          }
          for (Size j = 0; j < width_n; j += kPanel) {
            const Size width = panel_width(width_n, j);
            const Size columns = smaller(kPanel, width_n - j);
            const bool from_packed = pack_b || columns % kLanes != 0;
            const float* panel = !from_packed ? b + j : pack_b ? packed_b + j * depth : packed_b;
            const Size b_stride = from_packed ? width : g.b_row;
            const Size column = j0 + j;
            Tile t = {};
            t.last = columns - (width - kLanes);
            if (block > 0) {
              t.from = partial + i * ld_partial + column;
              t.ld_from = ld_partial;
            } else if (g.accumulate) {
              t.from = g.c + i * g.ldc + column;
              t.ld_from = g.ldc;
            }
            float* c = g.c + i * g.ldc + column;
            const float* residual =
                g.residual == nullptr ? nullptr : g.residual + i * g.ld_residual + column;
            if (!last_block) {
              t.to = partial + i * ld_partial + column;
              t.ld_to = ld_partial;
            } else {
              t.to = c;
              t.ld_to = g.ldc;
              if (g.bias != nullptr) t.bias = g.bias + column;
              if (!separate_finish) {
                t.residual = residual;
                t.ld_residual = g.ld_residual;
              } else if (g.pre != nullptr) {
                t.to = g.pre + i * g.ld_pre + column;
                t.ld_to = g.ld_pre;
              } else {
                // Not into C, which may hold the residual.
                t.to = waiting;
                t.ld_to = kPanel;
              }
            }
            kTiles.of[by_rows ? kRows : kColumns][width / kLanes - 1][rows - 1](depth, a, stride,
                                                                                panel, b_stride, t);
            if (last_block && separate_finish) {
              finish(g.activation, rows, columns, t.to, t.ld_to, c, g.ldc, residual, g.ld_residual);
            }
          }
        }
      }
    }
  }
}
