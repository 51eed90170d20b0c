// Elementwise functions, row reductions and AdamW. Included by vector_kernels.inl.

// y[i] = f(x[i]).
template <class F>
XFQ_INLINE void map(Size size, const float* x, float* y, F f) {
  Size i = 0;
  for (; i + kLanes <= size; i += kLanes) store(y + i, f(load(x + i)));
  if (i < size) store_n(y + i, size - i, f(load_n(x + i, size - i, set1(0.0f))));
}

// z[i] = f(x[i], y[i]).
template <class F>
XFQ_INLINE void map(Size size, const float* x, const float* y, float* z, F f) {
  const F16 zero = set1(0.0f);
  Size i = 0;
  for (; i + kLanes <= size; i += kLanes) store(z + i, f(load(x + i), load(y + i)));
  if (i < size) {
    const Size n = size - i;
    store_n(z + i, n, f(load_n(x + i, n, zero), load_n(y + i, n, zero)));
  }
}

// The lanes' running value over x; `fill` stands for the elements past the end and
// must leave a lane as it is.
template <class F>
XFQ_INLINE F16 fold(Size size, const float* x, F16 lanes, F16 fill, F f) {
  Size i = 0;
  for (; i + kLanes <= size; i += kLanes) lanes = f(load(x + i), lanes);
  if (i < size) lanes = f(load_n(x + i, size - i, fill), lanes);
  return lanes;
}

static void exp_forward(Size size, const float* x, float* y) {
  map(size, x, y, [](F16 a) { return exp(a); });
}
static void log_forward(Size size, const float* x, float* y) {
  map(size, x, y, [](F16 a) { return log(a); });
}
static void erf_forward(Size size, const float* x, float* y) {
  map(size, x, y, [](F16 a) { return erf(a); });
}
static void tanh_forward(Size size, const float* x, float* y) {
  map(size, x, y, [](F16 a) { return tanh(a); });
}
static void tanh_backward(Size size, const float* y, const float* d_y, float* d_x) {
  map(size, y, d_y, d_x, [](F16 a, F16 d) { return mul(d, fnma(a, a, set1(1.0f))); });
}
static void add_arrays(Size size, const float* x, float* y) {
  map(size, x, y, y, [](F16 a, F16 b) { return add(b, a); });
}
static void scale(Size size, float factor, float* x) {
  const F16 f = set1(factor);
  map(size, x, x, [f](F16 a) { return mul(a, f); });
}

static void activation_forward(int activation, Size size, const float* x, float* y) {
  if (activation == 1) {
    map(size, x, y, [](F16 a) { return gelu_tanh(a); });
  } else if (activation == 2) {
    map(size, x, y, [](F16 a) { return gelu_erf(a); });
  } else if (x != y) {
    map(size, x, y, [](F16 a) { return a; });
  }
}

static void activation_backward(int activation, Size size, const float* x, const float* d_y,
                                float* d_x) {
  if (activation == 1) {
    map(size, x, d_y, d_x, [](F16 a, F16 d) { return mul(d, gelu_tanh_slope(a)); });
  } else if (activation == 2) {
    map(size, x, d_y, d_x, [](F16 a, F16 d) { return mul(d, gelu_erf_slope(a)); });
  } else if (d_x != d_y) {
    map(size, d_y, d_x, [](F16 d) { return d; });
  }
}

static void add_column_sums(Size rows, Size width, const float* x, Size ld, float* sums) {
  // Four vectors of columns at a time, down all rows.
  Size j = 0;
  for (; j + 4 * kLanes <= width; j += 4 * kLanes) {
    F16 s0 = load(sums + j), s1 = load(sums + j + 16);
    F16 s2 = load(sums + j + 32), s3 = load(sums + j + 48);
    for (Size row = 0; row < rows; ++row) {
      const float* p = x + row * ld + j;
      s0 = add(s0, load(p));
      s1 = add(s1, load(p + 16));
      s2 = add(s2, load(p + 32));
      s3 = add(s3, load(p + 48));
    }
    store(sums + j, s0);
    store(sums + j + 16, s1);
    store(sums + j + 32, s2);
    store(sums + j + 48, s3);
  }
  for (; j < width; j += kLanes) {
    const Size n = smaller(kLanes, width - j);
    const F16 zero = set1(0.0f);
    F16 s = load_n(sums + j, n, zero);
    for (Size row = 0; row < rows; ++row) s = add(s, load_n(x + row * ld + j, n, zero));
    store_n(sums + j, n, s);
  }
}

static double sum_squares(Size size, const float* x) {
  D16 sum = double_zero();
  Size i = 0;
  for (; i + kLanes <= size; i += kLanes) sum = add_square(load(x + i), sum);
  if (i < size) sum = add_square(load_n(x + i, size - i, set1(0.0f)), sum);
  return reduce_add(sum);
}

// --- softmax ---------------------------------------------------------------------

XFQ_INLINE float row_maximum(Size n, const float* x) {
  const F16 lowest = set1(-__builtin_inff());
  return reduce_max(fold(n, x, lowest, lowest, [](F16 a, F16 m) { return max(a, m); }));
}

// y = exp(x - maximum), y may be x; returns the sum.
XFQ_INLINE float row_exponentials(Size n, const float* x, float maximum, float* y) {
  const F16 top = set1(maximum);
  F16 sum = set1(0.0f);
  Size i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    const F16 e = exp(sub(load(x + i), top));
    store(y + i, e);
    sum = add(sum, e);
  }
  if (i < n) {
    const F16 zero = set1(0.0f);
    const F16 e = select(first_n(n - i), exp(sub(load_n(x + i, n - i, zero), top)), zero);
    store_n(y + i, n - i, e);
    sum = add(sum, e);
  }
  return reduce_add(sum);
}

// Rows are taken in blocks, pass by pass: the long chain from a row's maximum to its
// sum to its quotient then overlaps with those of its neighbours.
constexpr Size kRowBlock = 8;

static void softmax_rows(Size rows, Size width, float* x, Size ld) {
  float value[kRowBlock];
  for (Size first = 0; first < rows; first += kRowBlock, x += kRowBlock * ld) {
    const Size count = smaller(kRowBlock, rows - first);
    for (Size r = 0; r < count; ++r) value[r] = row_maximum(width, x + r * ld);
    for (Size r = 0; r < count; ++r) {
      value[r] = row_exponentials(width, x + r * ld, value[r], x + r * ld);
    }
    for (Size r = 0; r < count; ++r) {
      const F16 inverse = set1(1.0f / value[r]);
      map(width, x + r * ld, x + r * ld, [inverse](F16 e) { return mul(e, inverse); });
    }
  }
}

static double cross_entropy(Size rows, Size width, float* logits, Size ld,
                            const std::int32_t* targets, float* losses, bool gradient,
                            float gradient_scale, std::int64_t* count) {
  double total = 0;
  *count = 0;
  // Without a gradient the exponentials are not kept in place of the logits.
  float* apart = gradient ? nullptr : scratch_floats(Slot::row, width);
  const F16 factor = set1(gradient_scale);
  for (Size row = 0; row < rows; ++row, logits += ld) {
    const std::int32_t target = targets[row];
    if (target < 0) {
      if (losses != nullptr) losses[row] = 0.0f;
      if (gradient) map(width, logits, logits, [](F16) { return set1(0.0f); });
      continue;
    }
    const float maximum = row_maximum(width, logits);
    const float picked = logits[target] - maximum;
    float* e = gradient ? logits : apart;
    const float sum = row_exponentials(width, logits, maximum, e);
    const float loss = lane0(log(set1(sum))) - picked;
    if (losses != nullptr) losses[row] = loss;
    total += static_cast<double>(loss);
    ++*count;
    if (gradient) {
      const float inverse = 1.0f / sum;
      const float target_p = logits[target] * inverse;
      const F16 inv = set1(inverse);
      map(width, logits, logits, [inv, factor](F16 x) { return mul(mul(x, inv), factor); });
      logits[target] = (target_p - 1.0f) * gradient_scale;
    }
  }
  return total;
}

// --- layer normalisation ------------------------------------------------------------

XFQ_INLINE float row_mean(Size width, const float* x) {
  const F16 zero = set1(0.0f);
  const F16 sum = fold(width, x, zero, zero, [](F16 a, F16 s) { return add(s, a); });
  return reduce_add(sum) / static_cast<float>(width);
}

XFQ_INLINE float row_rstd(Size width, const float* x, float mean, float epsilon) {
  const F16 c = set1(mean);
  // Past the end x stands for the mean: a difference of 0.
  const F16 squares = fold(width, x, set1(0.0f), c, [c](F16 a, F16 s) {
    const F16 d = sub(a, c);
    return fma(d, d, s);
  });
  return 1.0f / __builtin_sqrtf(reduce_add(squares) / static_cast<float>(width) + epsilon);
}

XFQ_INLINE void normalise_row(Size width, const float* x, const float* weight, const float* bias,
                              float mean, float rstd, float* y) {
  const F16 c = set1(mean), r = set1(rstd), zero = set1(0.0f);
  if (bias == nullptr) {
    map(width, x, weight, y, [c, r](F16 a, F16 w) { return mul(mul(sub(a, c), r), w); });
    return;
  }
  Size i = 0;
  for (; i + kLanes <= width; i += kLanes) {
    store(y + i, fma(mul(sub(load(x + i), c), r), load(weight + i), load(bias + i)));
  }
  if (i < width) {
    const Size n = width - i;
    const F16 normal = mul(sub(load_n(x + i, n, zero), c), r);
    store_n(y + i, n, fma(normal, load_n(weight + i, n, zero), load_n(bias + i, n, zero)));
  }
}

static void layernorm_forward(Size rows, Size width, const float* x, const float* weight,
                              const float* bias, float epsilon, float* y, float* mean,
                              float* rstd) {
  for (Size first = 0; first < rows; first += kRowBlock) {
    const Size end = smaller(first + kRowBlock, rows);
    for (Size r = first; r < end; ++r) mean[r] = row_mean(width, x + r * width);
    for (Size r = first; r < end; ++r) rstd[r] = row_rstd(width, x + r * width, mean[r], epsilon);
    for (Size r = first; r < end; ++r) {
      normalise_row(width, x + r * width, weight, bias, mean[r], rstd[r], y + r * width);
    }
  }
}

struct LayernormSums {
  F16 plain, with_normal;
};

XFQ_INLINE void layernorm_gradient_step(F16 x, F16 d_y, F16 weight, F16 c, F16 r, float* d_weight,
                                        float* d_bias, Size n, LayernormSums& sums) {
  const F16 zero = set1(0.0f);
  const F16 normal = mul(sub(x, c), r);
  const F16 g = mul(d_y, weight);
  sums.plain = add(sums.plain, g);
  sums.with_normal = fma(g, normal, sums.with_normal);
  if (n == kLanes) {
    store(d_weight, fma(d_y, normal, load(d_weight)));
    if (d_bias != nullptr) store(d_bias, add(load(d_bias), d_y));
  } else {
    store_n(d_weight, n, fma(d_y, normal, load_n(d_weight, n, zero)));
    if (d_bias != nullptr) store_n(d_bias, n, add(load_n(d_bias, n, zero), d_y));
  }
}

static void layernorm_backward(Size rows, Size width, const float* x, const float* weight,
                               const float* mean, const float* rstd, const float* d_y, float* d_x,
                               bool accumulate_dx, float* d_weight, float* d_bias) {
  const F16 zero = set1(0.0f);
  const float count = static_cast<float>(width);
  float mean_g[kRowBlock], mean_gn[kRowBlock];
  for (Size first = 0; first < rows; first += kRowBlock) {
    const Size block = smaller(kRowBlock, rows - first);
    for (Size row = 0; row < block; ++row) {
      const float* x_row = x + (first + row) * width;
      const float* d_y_row = d_y + (first + row) * width;
      const F16 c = set1(mean[first + row]), r = set1(rstd[first + row]);
      LayernormSums sums = {zero, zero};
      Size i = 0;
      for (; i + kLanes <= width; i += kLanes) {
        layernorm_gradient_step(load(x_row + i), load(d_y_row + i), load(weight + i), c, r,
                                d_weight + i, d_bias == nullptr ? nullptr : d_bias + i, kLanes,
                                sums);
      }
      if (i < width) {
        const Size n = width - i;
        layernorm_gradient_step(load_n(x_row + i, n, c), load_n(d_y_row + i, n, zero),
                                load_n(weight + i, n, zero), c, r, d_weight + i,
                                d_bias == nullptr ? nullptr : d_bias + i, n, sums);
      }
      mean_g[row] = reduce_add(sums.plain) / count;
      mean_gn[row] = reduce_add(sums.with_normal) / count;
    }
    for (Size row = 0; row < block; ++row) {
      const float* x_row = x + (first + row) * width;
      const float* d_y_row = d_y + (first + row) * width;
      float* d_x_row = d_x + (first + row) * width;
      const F16 c = set1(mean[first + row]), r = set1(rstd[first + row]);
      const F16 g_mean = set1(mean_g[row]), gn_mean = set1(mean_gn[row]);
      const auto inner = [=](F16 a, F16 d, F16 w) {
        return fnma(mul(sub(a, c), r), gn_mean, sub(mul(d, w), g_mean));
      };
      Size i = 0;
      for (; i + kLanes <= width; i += kLanes) {
        const F16 value = inner(load(x_row + i), load(d_y_row + i), load(weight + i));
        store(d_x_row + i, accumulate_dx ? fma(r, value, load(d_x_row + i)) : mul(r, value));
      }
      if (i < width) {
        const Size n = width - i;
        const F16 value = inner(load_n(x_row + i, n, zero), load_n(d_y_row + i, n, zero),
                                load_n(weight + i, n, zero));
        store_n(d_x_row + i, n,
                accumulate_dx ? fma(r, value, load_n(d_x_row + i, n, zero)) : mul(r, value));
      }
    }
  }
}

// --- optimiser --------------------------------------------------------------------------

static void adamw(const AdamWCall& p, Size size, float* weights, const float* gradient, float* m,
                  float* v) {
  const F16 gradient_scale = set1(p.gradient_scale), keep = set1(p.keep);
  const F16 beta1 = set1(p.beta1), new1 = set1(p.new1);
  const F16 beta2 = set1(p.beta2), new2 = set1(p.new2);
  const F16 rate = set1(p.rate), unbias = set1(p.unbias), epsilon = set1(p.epsilon);
  const F16 zero = set1(0.0f);
  const auto update = [=](F16 raw_gradient, F16& w, F16& m1, F16& v1) {
    const F16 g = mul(raw_gradient, gradient_scale);
    m1 = fma(new1, g, mul(beta1, m1));
    v1 = fma(mul(new2, g), g, mul(beta2, v1));
    const F16 step = div(m1, fma(sqrt(v1), unbias, epsilon));
    w = fnma(rate, step, mul(keep, w));
  };
  Size i = 0;
  for (; i + kLanes <= size; i += kLanes) {
    F16 w = load(weights + i), m1 = load(m + i), v1 = load(v + i);
    update(load(gradient + i), w, m1, v1);
    store(weights + i, w);
    store(m + i, m1);
    store(v + i, v1);
  }
  if (i < size) {
    const Size n = size - i;
    F16 w = load_n(weights + i, n, zero), m1 = load_n(m + i, n, zero);
    F16 v1 = load_n(v + i, n, zero);
    update(load_n(gradient + i, n, zero), w, m1, v1);
    store_n(weights + i, n, w);
    store_n(m + i, n, m1);
    store_n(v + i, n, v1);
  }
}
