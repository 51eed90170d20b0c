// Attention of one head at a time, from the tiles of vector_gemm.inl. Included by
// vector_kernels.inl.
//
// Only what is seen is computed: row t of the probabilities has its first
// visible(t) elements, and a sum over keys or queries runs over the seen ones in
// increasing order. Within a strip of rows the causal edge is a triangle, which the
// corner steps of the tile walk exactly.

struct Head {
  Size time, size, keys;  // keys: those of this batch entry that anyone sees
  bool causal;
  float factor;  // 1 / sqrt(size)
};

XFQ_INLINE Size visible(const Head& head, Size t) {
  return head.causal ? smaller(t + 1, head.keys) : head.keys;
}

XFQ_INLINE Head make_head(const AttentionCall& shape, Size b) {
  Head head;
  head.time = shape.time;
  head.size = shape.head_size;
  head.keys = shape.lengths == nullptr ? shape.time : shape.lengths[b];
  head.causal = shape.causal;
  head.factor = 1.0f / __builtin_sqrtf(static_cast<float>(shape.head_size));
  return head;
}

// Floats of a packed [k, n] matrix.
XFQ_INLINE Size packed_size(Size k, Size n) { return k * rounded_up(n, kLanes); }

// out[rows, seen] = A[rows, head.size] panels, A being queries or output gradients
// against the packed transposed keys or values. Columns past `seen` but below
// head.keys may be written too.
XFQ_INLINE void scores(const Head& head, Size rows, Size seen, const float* a, Size lda,
                       const float* panels, float* out) {
  for (Size j = 0; j < seen; j += kPanel) {
    const Size width = panel_width(head.keys, j);
    const Size vectors = divided_up(smaller(width, seen - j), kLanes);
    Tile t = {};
    t.to = out + j;
    t.ld_to = head.time;
    t.last = smaller(kLanes, head.keys - j - (vectors - 1) * kLanes);
    kTiles.of[kRows][vectors - 1][rows - 1](head.size, a, lda, panels + j * head.size, width, t);
  }
}

// out[rows, head.size] = W[rows, visible] V, for rows t0 .. of W [time, time].
XFQ_INLINE void weigh(const Head& head, Size t0, Size rows, const float* w, const float* panels,
                      float* out, Size ld_out) {
  const Size first = visible(head, t0), last = visible(head, t0 + rows - 1);
  for (Size j = 0; j < head.size; j += kPanel) {
    const Size width = panel_width(head.size, j);
    Tile t = {};
    t.to = out + j;
    t.ld_to = ld_out;
    t.last = smaller(kPanel, head.size - j) - (width - kLanes);
    t.corner = last - first;
    kTiles.of[kRows][width / kLanes - 1][rows - 1](first, w, head.time,
                                                           panels + j * head.keys, width, t);
  }
}

// out[rows, head.size] = W^T[rows, queries] X, for keys s0 .. of W [time, time] and the
// packed X [time, head.size].
XFQ_INLINE void weigh_transposed(const Head& head, Size s0, Size rows, const float* w,
                                 const float* panels, float* out, Size ld_out) {
  const Size start = head.causal ? s0 : 0;
  const Size corner = head.causal ? rows - 1 : 0;
  for (Size j = 0; j < head.size; j += kPanel) {
    const Size width = panel_width(head.size, j);
    Tile t = {};
    t.to = out + j;
    t.ld_to = ld_out;
    t.last = smaller(kPanel, head.size - j) - (width - kLanes);
    t.corner = corner;
    kTiles.of[kColumns][width / kLanes - 1][rows - 1](
        head.time - start - corner, w + start * head.time + s0, head.time,
        panels + j * head.time + start * width, width, t);
  }
}

static void attention_forward(const AttentionCall& shape, const float* qkv, float* probabilities,
                              float* out) {
  const Size time = shape.time, size = shape.head_size;
  const Size width = shape.heads * size, ld = 3 * width;
  float* packed_keys = scratch_floats(Slot::packed_b, packed_size(size, time));
  float* packed_values = scratch_floats(Slot::head, packed_size(time, size));
  const Size strips = divided_up(time, kTileRows);
  for (Size b = 0; b < shape.batch; ++b) {
    const Head head = make_head(shape, b);
    for (Size h = 0; h < shape.heads; ++h) {
      const float* q = qkv + b * time * ld + h * size;
      const float* k = q + width;
      const float* v = k + width;
      float* p_head = probabilities + (b * shape.heads + h) * time * time;
      float* o = out + b * time * width + h * size;
      pack_panels(size, head.keys, k, 1, ld, packed_keys);
      pack_panels(head.keys, size, v, ld, 1, packed_values);
      for (Size s = 0; s < strips; ++s) {
        const Size t0 = part_begin(time, strips, s);
        const Size rows = part_begin(time, strips, s + 1) - t0;
        float* p = p_head + t0 * time;
        scores(head, rows, visible(head, t0 + rows - 1), q + t0 * ld, ld, packed_keys, p);
        for (Size r = 0; r < rows; ++r) {
          const Size seen = visible(head, t0 + r);
          float* row = p + r * time;
          scale(seen, head.factor, row);
          softmax_row(seen, row, row_maximum(seen, row));
          map(time - seen, row + seen, row + seen, [](F16) { return set1(0.0f); });
        }
        weigh(head, t0, rows, p, packed_values, o + t0 * width, width);
      }
    }
  }
}

static void attention_backward(const AttentionCall& shape, const float* qkv,
                               const float* probabilities, const float* d_out, float* d_qkv) {
  const Size time = shape.time, size = shape.head_size;
  const Size width = shape.heads * size, ld = 3 * width;
  const Size across = packed_size(size, time), along = packed_size(time, size);
  float* packed_values = scratch_floats(Slot::head, across + 3 * along);
  float* packed_keys = packed_values + across;
  float* packed_queries = packed_keys + along;
  float* packed_d_out = packed_queries + along;
  float* d_scores = scratch_floats(Slot::scores, time * time);
  const F16 zero = set1(0.0f);
  for (Size b = 0; b < shape.batch; ++b) {
    const Head head = make_head(shape, b);
    const Size strips = divided_up(time, kTileRows);
    const Size key_strips = divided_up(head.keys, kTileRows);
    for (Size h = 0; h < shape.heads; ++h) {
      const float* q = qkv + b * time * ld + h * size;
      const float* k = q + width;
      const float* v = k + width;
      const float* d_o = d_out + b * time * width + h * size;
      const float* p_head = probabilities + (b * shape.heads + h) * time * time;
      float* d_q = d_qkv + b * time * ld + h * size;
      float* d_k = d_q + width;
      float* d_v = d_k + width;
      pack_panels(size, head.keys, v, 1, ld, packed_values);
      pack_panels(head.keys, size, k, ld, 1, packed_keys);
      pack_panels(time, size, q, ld, 1, packed_queries);
      pack_panels(time, size, d_o, width, 1, packed_d_out);

      // Row by row: gradients of the probabilities, of the scores, of the queries.
      for (Size s = 0; s < strips; ++s) {
        const Size t0 = part_begin(time, strips, s);
        const Size rows = part_begin(time, strips, s + 1) - t0;
        float* d_s = d_scores + t0 * time;
        scores(head, rows, visible(head, t0 + rows - 1), d_o + t0 * width, width, packed_values,
               d_s);
        for (Size r = 0; r < rows; ++r) {
          const Size seen = visible(head, t0 + r);
          const float* p = p_head + (t0 + r) * time;
          float* row = d_s + r * time;
          F16 lanes = zero;
          Size i = 0;
          for (; i + kLanes <= seen; i += kLanes) lanes = fma(load(p + i), load(row + i), lanes);
          if (i < seen) {
            lanes = fma(load_n(p + i, seen - i, zero), load_n(row + i, seen - i, zero), lanes);
          }
          const F16 inner = set1(reduce_add(lanes)), factor = set1(head.factor);
          map(seen, p, row, row,
              [inner, factor](F16 a, F16 d) { return mul(mul(a, sub(d, inner)), factor); });
        }
        weigh(head, t0, rows, d_s, packed_keys, d_q + t0 * ld, ld);
      }

      // Column by column: gradients of the keys and values.
      for (Size s = 0; s < key_strips; ++s) {
        const Size s0 = part_begin(head.keys, key_strips, s);
        const Size rows = part_begin(head.keys, key_strips, s + 1) - s0;
        weigh_transposed(head, s0, rows, d_scores, packed_queries, d_k + s0 * ld, ld);
        weigh_transposed(head, s0, rows, p_head, packed_d_out, d_v + s0 * ld, ld);
      }
      for (Size t = head.keys; t < time; ++t) {
        map(size, d_k + t * ld, d_k + t * ld, [](F16) { return set1(0.0f); });
        map(size, d_v + t * ld, d_v + t * ld, [](F16) { return set1(0.0f); });
      }
    }
  }
}
