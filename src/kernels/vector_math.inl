// exp, log, tanh, erf and the GELUs on 16 floats: operation for operation those of
// reference.cpp. Included by vector_kernels.inl.

template <int n>
XFQ_INLINE F16 polynomial(const float (&c)[n], F16 x) {
  F16 value = set1(c[n - 1]);
  XFQ_UNROLL
  for (int i = n - 2; i >= 0; --i) value = fma(value, x, set1(c[i]));
  return value;
}

XFQ_INLINE F16 exp(F16 x) {
  x = max(set1(kExpLowest), min(set1(kExpHighest), x));
  const F16 shifted = fma(x, set1(kLog2E), set1(kRoundMagic));
  const F16 n = sub(shifted, set1(kRoundMagic));
  F16 r = fnma(n, set1(kLn2High), x);
  r = fnma(n, set1(kLn2Low), r);
  const F16 p = add(fma(mul(r, r), polynomial(kExp, r), r), set1(1.0f));
  return scale_by_power(p, shifted, n);
}

XFQ_INLINE F16 log(F16 x) {
  const M16 tiny = less(x, set1(0x1p-126f));
  const I16 offset = int_set1(static_cast<std::int32_t>(kSqrtHalfBits));
  const I16 shifted = int_sub(bits(select(tiny, mul(x, set1(0x1p23f)), x)), offset);
  const F16 e = sub(to_float(shift_right_23(shifted)), select(tiny, set1(23.0f), set1(0.0f)));
  const F16 m = from_bits(int_add(int_and(shifted, int_set1(0x7fffff)), offset));
  const F16 f = sub(m, set1(1.0f));
  const F16 f2 = mul(f, f);
  F16 y = mul(mul(f, polynomial(kLog, f)), f2);
  y = fma(e, set1(kLn2Low), y);
  y = fma(set1(-0.5f), f2, y);
  y = fma(e, set1(kLn2High), add(f, y));
  const F16 zero = set1(0.0f), infinity = set1(__builtin_inff());
  y = select(less(zero, x), y, set1(__builtin_nanf("")));
  y = select(equal(x, zero), set1(-__builtin_inff()), y);
  return select(equal(x, infinity), infinity, y);
}

XFQ_INLINE F16 tanh(F16 x) {
  const F16 a = abs(x), t = mul(x, x), one = set1(1.0f);
  const F16 inner = fma(mul(x, t), polynomial(kTanh, t), x);
  const F16 outer = sub(one, div(set1(2.0f), add(exp(add(a, a)), one)));
  // The sign from x everywhere: inner(-0) is +0.
  return copysign(select(less(a, set1(kTanhSplit)), inner, outer), x);
}

XFQ_INLINE F16 erf(F16 x) {
  const F16 a = abs(x), one = set1(1.0f);
  const F16 inner = fma(x, polynomial(kErfSmall, mul(x, x)), x);
  const F16 clamped = min(set1(kErfEnd), a);
  const F16 outer = sub(one, exp(polynomial(kErfLarge, clamped)));
  return copysign(select(less(a, one), inner, outer), x);
}

constexpr float kPlus1 = static_cast<float>(kGelu1);
constexpr float kMinus1 = static_cast<float>(-kGelu1), kMinus3 = static_cast<float>(-kGelu3);
constexpr float kSlope3 = static_cast<float>(3 * kGelu3);

XFQ_INLINE F16 gelu_tanh(F16 x) {
  const F16 z = mul(x, fma(set1(kMinus3), mul(x, x), set1(kMinus1)));
  return div(x, add(set1(1.0f), exp(z)));
}

XFQ_INLINE F16 gelu_tanh_slope(F16 x) {
  const float end = static_cast<float>(kGeluEnd);
  x = max(set1(-end), min(set1(end), x));
  const F16 x2 = mul(x, x), one = set1(1.0f);
  const F16 e = exp(mul(x, fma(set1(kMinus3), x2, set1(kMinus1))));
  const F16 s = div(one, add(one, e));
  const F16 slope = fma(set1(kSlope3), x2, set1(kPlus1));
  return mul(s, fma(mul(x, slope), mul(e, s), one));
}

XFQ_INLINE F16 gelu_erf(F16 x) {
  const F16 half = mul(set1(0.5f), x);
  return fma(half, erf(mul(x, set1(static_cast<float>(kSqrtHalf)))), half);
}

XFQ_INLINE F16 gelu_erf_slope(F16 x) {
  const F16 half = set1(0.5f);
  const F16 cdf = fma(half, erf(mul(x, set1(static_cast<float>(kSqrtHalf)))), half);
  const F16 pdf = mul(exp(mul(set1(-0.5f), mul(x, x))), set1(static_cast<float>(kInverseSqrt2Pi)));
  return fma(x, pdf, cdf);
}
