// Explicit instantiations of the kernels' templates, for the namespace in which it is used: the
// public functions and their plain implementation have the same list. Products and AdamW differ.
#pragma once

/// What the gradient of a model needs.
#define XFQ_GRADIENT_KERNELS(S)                                                                    \
  template void attention_forward(const AttentionShape&, const S*, S*, S*);                        \
  template void attention_backward(const AttentionShape&, const S*, const S*, const S*, S*);       \
  template void layernorm_forward(Index, Index, const S*, const S*, const S*, S, S*, S*, S*);      \
  template void layernorm_backward(Index, Index, const S*, const S*, const S*, const S*, const S*, \
                                   S*, bool, S*, S*);                                              \
  template double cross_entropy(Index, Index, S*, Index, const std::int32_t*, S*, bool, S,         \
                                std::int64_t*);                                                    \
  template void activation_forward(Activation, Index, const S*, S*);                               \
  template void activation_backward(Activation, Index, const S*, const S*, S*);                    \
  template void add(Index, const S*, S*);                                                          \
  template void add_column_sums(Index, Index, const S*, Index, S*);

#define XFQ_OTHER_KERNELS(S)                                  \
  template void softmax_rows(Index, Index, S*, Index);        \
  template void tanh_forward(Index, const S*, S*);            \
  template void tanh_backward(Index, const S*, const S*, S*); \
  template void scale(Index, S, S*);                          \
  template double sum_squares(Index, const S*);               \
  template void exp_forward(Index, const S*, S*);             \
  template void log_forward(Index, const S*, S*);             \
  template void erf_forward(Index, const S*, S*);
