// Gradients of the layers against central differences, in double, <= 1e-6.
#include "xfq/nn/layers.h"

#include "catch.h"
#include "gradient_check.h"

namespace xfq::nn {

using test::random_vector;
using test::worst_gradient_error;

namespace {

constexpr double kTolerance = 1e-6;

/// Checks every tensor of a layout.
void check_parameters(const ParameterLayout& layout, const std::function<double()>& loss,
                      Vector<double>& parameters, const Vector<double>& gradients) {
  for (const ParameterInfo& tensor : layout.tensors()) {
    INFO(tensor.name);
    CHECK(worst_gradient_error(loss, parameters, gradients, tensor.offset, tensor.size()) <=
          kTolerance);
  }
}

}  // namespace

TEST_CASE("linear layer: values and gradients") {
  const Index rows = 5, in = 4, out = 3;
  ParameterLayout layout;
  const bool bias = GENERATE(true, false);
  const Linear linear = Linear::add(layout, "l", in, out, bias, Init::normal(1));
  Vector<double> parameters = random_vector(layout.size(), "p");
  Vector<double> x = random_vector(rows * in, "x");
  const Vector<double> c = random_vector(rows * out, "c");  // loss = c . y
  Vector<double> y(rows * out);
  const auto loss = [&] {
    linear.forward(parameters.data(), rows, x.data(), y.data());
    return c.dot(y);
  };
  loss();
  const ConstMatrixMap<double> w(parameters.data() + linear.weight, in, out);
  Matrix<double> expected = ConstMatrixMap<double>(x.data(), rows, in) * w;
  if (bias) expected.rowwise() += parameters.segment(linear.bias, out).transpose();
  CHECK((ConstMatrixMap<double>(y.data(), rows, out) - expected).norm() < 1e-12);

  Vector<double> gradients = make_parameters<double>(layout);
  Vector<double> d_x(rows * in);
  linear.backward(parameters.data(), rows, x.data(), c.data(), d_x.data(), gradients.data());
  check_parameters(layout, loss, parameters, gradients);
  CHECK(worst_gradient_error(loss, x, d_x, 0, x.size()) <= kTolerance);

  // A second backward adds up.
  const Vector<double> once = gradients;
  linear.backward(parameters.data(), rows, x.data(), c.data(), static_cast<double*>(nullptr),
                  gradients.data());
  CHECK((gradients - 2 * once).norm() <= 1e-12 * once.norm());
}

TEST_CASE("layer normalisation: gradients, assigned and accumulated") {
  const Index rows = 6, width = 7;
  ParameterLayout layout;
  const bool bias = GENERATE(true, false);
  const LayerNorm norm = LayerNorm::add(layout, "n", width, bias, 1e-5);
  Vector<double> parameters = random_vector(layout.size(), "p");
  Vector<double> x = random_vector(rows * width, "x");
  const Vector<double> c = random_vector(rows * width, "c");
  Vector<double> y(rows * width), statistics(2 * rows);
  const auto loss = [&] {
    norm.forward(parameters.data(), rows, x.data(), y.data(), statistics.data());
    return c.dot(y);
  };
  loss();
  Vector<double> gradients = make_parameters<double>(layout);
  Vector<double> d_x(rows * width);
  norm.backward(parameters.data(), rows, x.data(), statistics.data(), c.data(), d_x.data(), false,
                gradients.data());
  check_parameters(layout, loss, parameters, gradients);
  CHECK(worst_gradient_error(loss, x, d_x, 0, x.size()) <= kTolerance);

  loss();  // the statistics of the unperturbed x
  Vector<double> added = Vector<double>::Ones(rows * width);
  norm.backward(parameters.data(), rows, x.data(), statistics.data(), c.data(), added.data(), true,
                gradients.data());
  CHECK((added - d_x - Vector<double>::Ones(rows * width)).norm() < 1e-12);
}

TEST_CASE("embedding: lookup, positions and tied projection") {
  const Index entries = 6, width = 4, batch = 2, time = 3, rows = batch * time;
  ParameterLayout layout;
  const Embedding table = Embedding::add(layout, "e", entries, width, Init::normal(1));
  const Index bias = layout.add_vector("b", entries, Init::zeros());
  Vector<double> parameters = random_vector(layout.size(), "p");
  const std::int32_t ids[] = {1, 5, 1, 0, 3, 1};
  const Vector<double> c = random_vector(rows * entries, "c");
  Vector<double> x(rows * width), y(rows * entries);
  const auto loss = [&] {
    table.forward(parameters.data(), rows, ids, x.data(), false);
    table.add_positions(parameters.data(), batch, time, x.data());
    table.forward(parameters.data(), rows, ids, x.data(), true);
    table.project(parameters.data(), rows, x.data(), bias, y.data());
    return c.dot(y);
  };
  loss();
  // Row 1 is the sum of twice entry 5 and position 1.
  const ConstMatrixMap<double> e(parameters.data() + table.weight, entries, width);
  CHECK((x.segment(width, width).transpose() - 2 * e.row(5) - e.row(1)).norm() < 1e-12);

  Vector<double> gradients = make_parameters<double>(layout);
  Vector<double> d_x(rows * width);
  table.backward_project(parameters.data(), rows, x.data(), c.data(), bias, d_x.data(),
                         gradients.data());
  table.backward(rows, ids, d_x.data(), gradients.data());
  table.backward(rows, ids, d_x.data(), gradients.data());
  table.backward_positions(batch, time, d_x.data(), gradients.data());
  check_parameters(layout, loss, parameters, gradients);
}

}  // namespace xfq::nn
