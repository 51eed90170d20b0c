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
    kTiles.of[kRows][width / kLanes - 1][rows - 1](first, w, head.time, panels + j * head.keys,
                                                   width, t);
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

// A strip of score rows t0 .. as vectors: `full` of them are seen whole by every row,
// those up to `end` by some rows in part. The counts are the same for all rows of a
// strip, which spares the processor mispredicted loop ends.
struct Edge {
  Size full, end;
};
XFQ_INLINE Edge edge_of(const Head& head, Size t0, Size rows) {
  return {visible(head, t0) / kLanes, divided_up(visible(head, t0 + rows - 1), kLanes)};
}
// How many of the 16 elements of vector i are below `limit`.
XFQ_INLINE Size part_of(Size limit, Size i) {
  const Size left = limit - i * kLanes;
  return left < 0 ? 0 : smaller(left, kLanes);
}

// Softmax of factor * scores over what each row sees, 0 elsewhere.
static void softmax_strip(const Head& head, Size t0, Size rows, float* p) {
  const Edge edge = edge_of(head, t0, rows);
  const F16 factor = set1(head.factor), zero = set1(0.0f), lowest = set1(-__builtin_inff());
  float value[kTileRows];
  for (Size r = 0; r < rows; ++r) {
    float* row = p + r * head.time;
    const Size seen = visible(head, t0 + r);
    F16 top = lowest;
    for (Size i = 0; i < edge.full; ++i) {
      const F16 x = mul(load(row + i * kLanes), factor);
      store(row + i * kLanes, x);
      top = max(x, top);
    }
    for (Size i = edge.full; i < edge.end; ++i) {
      const Size n = part_of(seen, i);
      const F16 x = mul(load_n(row + i * kLanes, n, zero), factor);
      store_n(row + i * kLanes, n, x);
      top = max(select(first_n(n), x, lowest), top);
    }
    value[r] = reduce_max(top);
  }
  for (Size r = 0; r < rows; ++r) {
    float* row = p + r * head.time;
    const Size seen = visible(head, t0 + r);
    const F16 top = set1(value[r]);
    F16 sum = zero;
    for (Size i = 0; i < edge.full; ++i) {
      const F16 e = exp(sub(load(row + i * kLanes), top));
      store(row + i * kLanes, e);
      sum = add(sum, e);
    }
    for (Size i = edge.full; i < edge.end; ++i) {
      const Size n = part_of(seen, i);
      const F16 e = select(first_n(n), exp(sub(load_n(row + i * kLanes, n, zero), top)), zero);
      store_n(row + i * kLanes, part_of(head.time, i), e);
      sum = add(sum, e);
    }
    value[r] = reduce_add(sum);
  }
  for (Size r = 0; r < rows; ++r) {
    float* row = p + r * head.time;
    const Size seen = visible(head, t0 + r);
    const F16 inverse = set1(1.0f / value[r]);
    for (Size i = 0; i < edge.full; ++i) {
      store(row + i * kLanes, mul(load(row + i * kLanes), inverse));
    }
    for (Size i = edge.full; i < edge.end; ++i) {
      // Only what is seen: the quotient may be NaN, what is hidden stays 0.
      const Size n = part_of(seen, i);
      store_n(row + i * kLanes, n, mul(load_n(row + i * kLanes, n, zero), inverse));
    }
    for (Size i = edge.end; i * kLanes < head.time; ++i) {
      store_n(row + i * kLanes, part_of(head.time, i), zero);
    }
  }
}

// From the gradients of the probabilities p to those of the scores, in place, where
// each row sees.
static void softmax_gradient_strip(const Head& head, Size t0, Size rows, const float* p,
                                   float* d_s) {
  const Edge edge = edge_of(head, t0, rows);
  const F16 factor = set1(head.factor), zero = set1(0.0f);
  float value[kTileRows];
  for (Size r = 0; r < rows; ++r) {
    const float* p_row = p + r * head.time;
    const float* row = d_s + r * head.time;
    const Size seen = visible(head, t0 + r);
    F16 lanes = zero;
    for (Size i = 0; i < edge.full; ++i) {
      lanes = fma(load(p_row + i * kLanes), load(row + i * kLanes), lanes);
    }
    for (Size i = edge.full; i < edge.end; ++i) {
      const Size n = part_of(seen, i);
      lanes = fma(load_n(p_row + i * kLanes, n, zero), load_n(row + i * kLanes, n, zero), lanes);
    }
    value[r] = reduce_add(lanes);
  }
  for (Size r = 0; r < rows; ++r) {
    const float* p_row = p + r * head.time;
    float* row = d_s + r * head.time;
    const Size seen = visible(head, t0 + r);
    const F16 inner = set1(value[r]);
    const auto gradient = [=](F16 a, F16 d) { return mul(mul(a, sub(d, inner)), factor); };
    for (Size i = 0; i < edge.full; ++i) {
      store(row + i * kLanes, gradient(load(p_row + i * kLanes), load(row + i * kLanes)));
    }
    for (Size i = edge.full; i < edge.end; ++i) {
      const Size n = part_of(seen, i);
      store_n(row + i * kLanes, n,
              gradient(load_n(p_row + i * kLanes, n, zero), load_n(row + i * kLanes, n, zero)));
    }
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
        softmax_strip(head, t0, rows, p);
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
        softmax_gradient_strip(head, t0, rows, p_head + t0 * time, d_s);
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
