// Polynomials of the float functions, shared by the scalar reference and the
// vector code. Each is the minimax polynomial (Remez exchange in 40 digits, then
// every coefficient rounded to float) for the weight that makes the error of the
// whole function relative; the comment gives the error before rounding. The
// functions as evaluated are within 1.1 (exp), 0.9 (log), 1.4 (tanh) and 1.3 (erf) ulp;
// tests/kernels/math_errors.h. Denormals count as any other number, in and out.
#pragma once

namespace xfq::kernels {

// exp(x) = 2^n exp(r), n = round(x / ln 2), r = (x - n ln2_high) - n ln2_low in
// [-ln2/2, ln2/2], exp(r) = 1 + (r + r^2 E(r)). ln2_high has 15 bits, so that
// n ln2_high is exact. Error 3.1e-9.
inline constexpr float kLog2E = 0x1.715476p+0f;
inline constexpr float kLn2High = 0x1.62e4p-1f;
inline constexpr float kLn2Low = 0x1.7f7d1cp-20f;
inline constexpr float kExp[5] = {0x1.fffffcp-2f, 0x1.555492p-3f, 0x1.5558f2p-5f, 0x1.123a20p-7f,
                                  0x1.6a23d0p-10f};
// Beyond these the result is 0 or infinity; the clamp keeps n in range.
inline constexpr float kExpLowest = -104.0f;
inline constexpr float kExpHighest = 89.0f;
// 1.5 * 2^23: added to a small number, its low bits are that number rounded.
inline constexpr float kRoundMagic = 12582912.0f;

// log(2^e m) = e ln 2 + log(1 + f), m in [sqrt(1/2), sqrt(2)), f = m - 1,
// log(1 + f) = f - f^2/2 + f^3 L(f). Error 7.6e-10.
inline constexpr float kLog[9] = {0x1.555548p-2f,  -0x1.000006p-2f, 0x1.99a4cap-3f,
                                  -0x1.555c5cp-3f, 0x1.2335b0p-3f,  -0x1.fc1d44p-4f,
                                  0x1.e70710p-4f,  -0x1.de6614p-4f, 0x1.14574cp-4f};
inline constexpr unsigned kSqrtHalfBits = 0x3f3504f3u;  // float nearest sqrt(1/2)

// |x| < 0.625: tanh(x) = x + x^3 T(x^2), error 4.2e-9;
// beyond: 1 - 2 / (exp(2|x|) + 1).
inline constexpr float kTanhSplit = 0.625f;
inline constexpr float kTanh[5] = {-0x1.555534p-2f, 0x1.110768p-3f, -0x1.b8444ap-5f, 0x1.5256dcp-6f,
                                   -0x1.76ac2ep-8f};

// |x| < 1: erf(x) = x + x F(x^2), error 1.2e-9;
// beyond: 1 - exp(G(min(|x|, 4))), G = log(1 - erf), error 1.1e-9 of erf.
inline constexpr float kErfSmall[7] = {0x1.06eba8p-3f,  -0x1.81273ep-2f, 0x1.ce2d20p-4f,
                                       -0x1.b7fbb4p-6f, 0x1.5419f6p-8f,  -0x1.a485ecp-11f,
                                       0x1.4ae4d0p-14f};
inline constexpr float kErfLarge[7] = {-0x1.5cda5ep-12f, -0x1.208b1ap+0f, -0x1.46b434p-1f,
                                       -0x1.a67e78p-4f,  0x1.6617fcp-6f,  -0x1.82e87ap-9f,
                                       0x1.87b304p-13f};
inline constexpr float kErfEnd = 4.0f;

// gelu_tanh(x) = x / (1 + exp(-z)), z = x (kGelu1 + kGelu3 x^2), which is
// 0.5 x (1 + tanh(z / 2)): kGelu1 = 2 sqrt(2/pi), kGelu3 = 0.044715 kGelu1. The
// derivative is constant to float accuracy beyond |x| = kGeluEnd, where exp(-z)
// is still finite.
inline constexpr double kGelu1 = 1.5957691216057308;
inline constexpr double kGelu3 = 0.07135481627260025;
inline constexpr double kGeluEnd = 10.0;
inline constexpr double kSqrtHalf = 0.7071067811865476;
inline constexpr double kInverseSqrt2Pi = 0.3989422804014327;

}  // namespace xfq::kernels
