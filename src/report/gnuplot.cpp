// Draws charts with gnuplot's SVG terminal.
#include "gnuplot.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "gnuplot_process.h"
#include "gnuplot_svg.h"
#include "html.h"
#include "xfq/core/error.h"

namespace xfq::report {

namespace {

/// gnuplot's point type and the same shape as a character. Full shapes first.
struct Marker {
  int type;
  const char* entity;
};
constexpr std::array<Marker, 5> kMarkers = {
    {{7, "&#9679;"}, {5, "&#9632;"}, {9, "&#9650;"}, {13, "&#9670;"}, {11, "&#9660;"}}};

const Marker& marker_of(std::size_t series) { return kMarkers[series % kMarkers.size()]; }

constexpr std::size_t kMostMarkers = 16;      // above, a line has a band and no markers
constexpr std::size_t kLongestCategory = 32;  // letters of a label
constexpr double kMargin = 18;                // right of the axes
constexpr double kLetter = 7.4;               // width of a letter in the drawing
constexpr std::size_t kCloud = 150;           // points of a panel, above which they are dots

/// A number that gnuplot reads back exactly.
std::string exact(double value) { return fmt::format("{}", value); }

/// Multiples of 1, 2 or 5 times a power of ten: at most `most` of them.
std::vector<double> linear_ticks(double lo, double hi, int most) {
  const double raw = (hi - lo) / std::max(most, 1);
  const double power = std::pow(10, std::floor(std::log10(raw)));
  double step = 10 * power;
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= raw) {
      step = factor * power;
      break;
    }
  }
  std::vector<double> ticks;
  // A hair of room, so that an end that is a multiple counts.
  const double first = std::ceil(lo / step - 1e-9);
  for (int i = 0; i <= most + 1 && (first + i) * step <= hi + 1e-9 * step; ++i) {
    ticks.push_back(first + i == 0 ? 0 : (first + i) * step);
  }
  return ticks;
}

/// Round numbers within a logarithmic axis: decades where there are several, and parts of
/// them on a short axis, where gnuplot would label one place alone.
std::vector<double> log_ticks(double lo, double hi) {
  const double decades = std::log10(hi) - std::log10(lo);
  const std::vector<int> steps = decades < 0.7   ? std::vector<int>{1, 2, 3, 4, 5, 6, 7, 8, 9}
                                 : decades < 2.2 ? std::vector<int>{1, 2, 5}
                                                 : std::vector<int>{1};
  const int stride = std::max(1, static_cast<int>(std::ceil(decades / 7)));
  std::vector<double> ticks;
  const int first = static_cast<int>(std::floor(std::log10(lo)));
  const int last = static_cast<int>(std::ceil(std::log10(hi)));
  for (int decade = first; decade <= last; ++decade) {
    if (decade % stride != 0) continue;
    for (const int step : steps) {
      const double tick = step * std::pow(10, decade);
      if (tick >= lo && tick <= hi) ticks.push_back(tick);
    }
  }
  return ticks.size() < 2 ? linear_ticks(lo, hi, 4) : ticks;
}

/// At most `letters` of them, UTF-8 kept whole.
std::string shortened(const std::string& text, std::size_t letters) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0) == 0x80) continue;
    if (++count > letters) return text.substr(0, i) + "...";
  }
  return text;
}

/// The series that have a dot in each category of y.
using Dots = std::map<double, std::vector<std::size_t>>;
Dots dots_of(const ChartPanel& panel) {
  Dots dots;
  for (const ChartSeries& series : panel.series) {
    if (series.mark != Mark::dot) continue;
    for (const ChartPoint& point : series.points) dots[point.y].push_back(series.name);
  }
  return dots;
}

struct Size {
  int width;
  int height;
};

/// In units of the drawing, of which a letter is 13 high.
Size size_of(const Chart& chart, const ChartPanel& panel) {
  const bool several = chart.panels.size() > 1;
  Size size = several ? Size{330, 230} : Size{400, 265};
  const auto rows = static_cast<int>(panel.y.categories.size());
  if (chart.has(Mark::heatmap)) {
    size = {std::max(size.width, 460), 86 + 38 * rows};
  } else if (rows > 0) {
    std::size_t dots = 0;
    for (const auto& [category, names] : dots_of(panel)) dots = std::max(dots, names.size());
    const int step = 16 + 8 * static_cast<int>(std::min<std::size_t>(dots, 6));
    size.height = 60 + step * rows;
  }
  return size;
}

/// Builds the script of one panel.
class Script {
 public:
  Script(const Chart& chart, const ChartPanel& panel)
      : chart_(chart), panel_(panel), size_(size_of(chart, panel)) {}

  std::string text() {
    axis('x', panel_.x);
    axis('y', panel_.y);
    if (panel_.y.scale == Scale::category) {
      out_ += fmt::format("set lmargin at screen {:.3f}\n",
                          std::min(left_margin() / size_.width, 0.75));
    }
    if (chart_.has(Mark::heatmap)) {
      out_ +=
          "set xlabel offset 0,0.5\nset bmargin 3\nunset grid\nset border 0\nset tics scale 0\n";
    }
    dots_ = dots_of(panel_);
    for (const auto& [category, names] : dots_) most_dots_ = std::max(most_dots_, names.size());
    for (const ChartSeries& series : panel_.series) {
      if (series.mark == Mark::point) points_ += series.points.size();
    }
    // Areas first, so that they hide nothing.
    for (const bool areas : {true, false}) {
      for (const ChartSeries& series : panel_.series) {
        if (areas == (series.mark == Mark::histogram || series.mark == Mark::heatmap)) {
          draw_series(series);
        }
      }
    }
    return out_ + fmt::format("plot {}\n", fmt::join(plots_, ", "));
  }

 private:
  void axis(char name, const ChartAxis& axis) {
    const bool category = axis.scale == Scale::category;
    if (axis.scale == Scale::log) out_ += fmt::format("set logscale {} 10\n", name);
    const bool reversed = category && name == 'y';
    out_ += fmt::format("set {}range [{}:{}]\n", name, exact(reversed ? axis.hi : axis.lo),
                        exact(reversed ? axis.lo : axis.hi));
    // A category says itself what it is; a matrix needs both names, and gnuplot would put
    // that of y outside when the margin is set.
    if (!category || (chart_.has(Mark::heatmap) && name == 'x')) {
      out_ += fmt::format("set {}label {}\n", name, gnuplot_quoted(axis.title));
    } else if (chart_.has(Mark::heatmap)) {
      out_ +=
          fmt::format("set label {} at screen 0.03, graph 0.5 center rotate textcolor rgb '{}'\n",
                      gnuplot_quoted(axis.title), kInkStandIn);
    }
    std::vector<std::string> tics;
    std::size_t letters = 0;
    for (std::size_t i = 0; i < axis.categories.size(); ++i) {
      const std::string label = shortened(axis.categories[i], kLongestCategory);
      letters += label.size();
      tics.push_back(fmt::format("{} {}", gnuplot_tick(label), i));
    }
    if (!category) tics = number_tics(name, axis);
    const bool crowded = name == 'x' && category && letters > 45;
    out_ += fmt::format("set {}tics ({}){}\n", name, fmt::join(tics, ", "),
                        crowded ? " rotate by -35" : "");
  }

  /// Ticks with labels that do not touch each other.
  std::vector<std::string> number_tics(char name, const ChartAxis& axis) const {
    const bool log = axis.scale == Scale::log;
    std::vector<double> ticks = axis.ticks;
    if (ticks.empty()) {
      ticks = log ? log_ticks(axis.lo, axis.hi) : linear_ticks(axis.lo, axis.hi, 6);
    }
    const auto place = [&](double at) {
      return log ? (std::log(at) - std::log(axis.lo)) / (std::log(axis.hi) - std::log(axis.lo))
                 : (at - axis.lo) / (axis.hi - axis.lo);
    };
    const double length = name == 'x' ? drawn_width() : size_.height - 60;
    double free_from = -1e9;
    std::vector<std::string> tics;
    for (const double tick : ticks) {
      const std::string label = axis_number(tick);
      const double half =
          name == 'x' ? kLetter / 2 * static_cast<double>(label.size() + 1) : kLetter;
      const double at = place(tick) * length;
      const bool fits = at - half >= free_from && at + half <= length + kMargin;
      if (fits) free_from = at + half;
      tics.push_back(fmt::format("{} {}", gnuplot_tick(fits ? label : ""), exact(tick)));
    }
    return tics;
  }

  /// What the labels of the y axis take of the width. gnuplot leaves too much for long ones,
  /// so that of categories is set.
  double left_margin() const {
    if (panel_.y.scale != Scale::category) return 75;
    std::size_t longest = 0;
    for (const std::string& label : panel_.y.categories) {
      longest = std::max(longest, std::min(label.size(), kLongestCategory + 3));
    }
    return kLetter * static_cast<double>(longest) + (chart_.has(Mark::heatmap) ? 50 : 26);
  }

  double drawn_width() const { return std::max(size_.width - left_margin() - kMargin, 60.0); }

  /// Adds a data block and returns its name.
  std::string block(const std::string& rows) {
    const std::string name = fmt::format("$d{}", blocks_++);
    out_ += fmt::format("{} << EOD\n{}EOD\n", name, rows);
    return name;
  }

  void add(const std::string& name, const std::string& how) {
    plots_.push_back(fmt::format("{} {}", name, how));
  }

  /// gnuplot leaves out a line with both ends outside.
  static double clipped(double value, const ChartAxis& axis) {
    return std::clamp(value, axis.lo, axis.hi);
  }

  void draw_series(const ChartSeries& series) {
    switch (series.mark) {
      case Mark::line:
        draw_line(series);
        break;
      case Mark::point:
      case Mark::dot:
        draw_points(series);
        break;
      case Mark::histogram:
        draw_histogram(series);
        break;
      case Mark::heatmap:
        draw_heatmap(series);
        break;
      case Mark::vertical:
      case Mark::horizontal:
        draw_rules(series);
        break;
    }
  }

  static std::string dash(const ChartSeries& series) { return series.dashed ? " dt (6,4)" : ""; }

  void draw_line(const ChartSeries& series) {
    const std::string color = series_stand_in(series.name);
    std::string rows;
    std::string band;
    for (const ChartPoint& point : series.points) {
      rows += fmt::format("{} {}\n", point.x, point.y);
      const Interval ci = point.ci.value_or(Interval{point.y, point.y});
      band +=
          fmt::format("{} {} {}\n", point.x, clipped(ci.lo, panel_.y), clipped(ci.hi, panel_.y));
    }
    const bool many = series.points.size() > kMostMarkers;
    const bool intervals =
        std::any_of(series.points.begin(), series.points.end(),
                    [](const ChartPoint& point) { return point.ci.has_value(); });
    if (many && intervals) {
      add(block(band),
          fmt::format(
              "using 1:2:3 with filledcurves lc rgb '{}' fs transparent solid 0.18 noborder",
              color));
    }
    add(block(rows), fmt::format("using 1:2 with lines lc rgb '{}' lw 1.8{}", color, dash(series)));
    if (!many && !series.dashed) draw_points(series);
  }

  void draw_points(const ChartSeries& series) {
    if (series.mark == Mark::point && points_ > kCloud) return draw_cloud(series);
    const bool dot = series.mark == Mark::dot;
    const ChartAxis& along = dot ? panel_.x : panel_.y;
    std::string places;
    std::string intervals;  // a line each; the empty rows between them keep them apart
    for (const ChartPoint& point : series.points) {
      const double y = dot ? beside_others(series, point) : point.y;
      places += fmt::format("{} {}\n", point.x, y);
      if (!point.ci) continue;
      const double lo = clipped(point.ci->lo, along);
      const double hi = clipped(point.ci->hi, along);
      intervals += dot ? fmt::format("{} {}\n{} {}\n\n", lo, y, hi, y)
                       : fmt::format("{} {}\n{} {}\n\n", point.x, lo, point.x, hi);
    }
    const std::string color = series_stand_in(series.name);
    if (!intervals.empty()) {
      add(block(intervals), fmt::format("using 1:2 with lines lc rgb '{}' lw 1.4", color));
    }
    add(block(places), fmt::format("using 1:2 with points lc rgb '{}' pt {} ps 0.7", color,
                                   marker_of(series.name).type));
  }

  /// Dots of one category stand below each other.
  double beside_others(const ChartSeries& series, const ChartPoint& point) const {
    const std::vector<std::size_t>& names = dots_.at(point.y);
    const auto place =
        static_cast<double>(std::find(names.begin(), names.end(), series.name) - names.begin());
    const auto count = static_cast<double>(names.size());
    return point.y + (place - (count - 1) / 2) * 0.7 / static_cast<double>(most_dots_);
  }

  /// Many points as one path of strokes so short that only their round ends show: a third
  /// of the bytes that markers take.
  void draw_cloud(const ChartSeries& series) {
    std::string rows;
    for (const ChartPoint& point : series.points) {
      const double end = panel_.x.scale == Scale::log
                             ? point.x * (1 + 1e-3)
                             : point.x + 2e-4 * (panel_.x.hi - panel_.x.lo);
      rows += fmt::format("{} {}\n{} {}\n\n", point.x, point.y, end, point.y);
    }
    add(block(rows),
        fmt::format("using 1:2 with lines lc rgb '{}' lw 3", series_stand_in(series.name)));
  }

  void draw_histogram(const ChartSeries& series) {
    const double floor = panel_.y.scale == Scale::log ? panel_.y.lo : 0;
    std::string outline;
    const auto corner = [&](double x, double y) { outline += fmt::format("{} {}\n", x, y); };
    const ChartPoint* before = nullptr;
    for (const ChartPoint& point : series.points) {
      if (before != nullptr && before->x_end != point.x) corner(before->x_end, floor);
      if (before == nullptr || before->x_end != point.x) corner(point.x, floor);
      corner(point.x, point.y);
      corner(point.x_end, point.y);
      before = &point;
    }
    if (before != nullptr) corner(before->x_end, floor);
    add(block(outline),
        fmt::format(
            "using 1:2 with filledcurves closed lc rgb '{}' fs transparent solid 0.5 noborder",
            series_stand_in(series.name)));
  }

  void draw_heatmap(const ChartSeries& series) {
    double lo = series.points.front().value;
    double hi = lo;
    for (const ChartPoint& point : series.points) {
      lo = std::min(lo, point.value);
      hi = std::max(hi, point.value);
    }
    if (lo == hi) hi = lo + 1;
    std::string cells;
    std::string dark;
    std::string light;
    for (const ChartPoint& point : series.points) {
      cells += fmt::format("{} {} {}\n", point.x, point.y, point.value);
      (point.value - lo > 0.55 * (hi - lo) ? light : dark) +=
          fmt::format("{} {} {:.3g}\n", point.x, point.y, point.value);
    }
    out_ += fmt::format(
        "unset colorbox\nset cbrange [{}:{}]\n"
        "set palette defined (0 '#e8f0f8', 0.5 '#6ba5cf', 1 '#0b3c6f')\n",
        exact(lo), exact(hi));
    add(block(cells),
        "using 1:2:($1-0.48):($1+0.48):($2-0.46):($2+0.46):3 with boxxyerror fs solid noborder "
        "lc palette");
    if (!dark.empty()) add(block(dark), "using 1:2:3 with labels tc rgb '#000000'");
    if (!light.empty()) add(block(light), "using 1:2:3 with labels tc rgb '#ffffff'");
  }

  void draw_rules(const ChartSeries& series) {
    const bool vertical = series.mark == Mark::vertical;
    const ChartAxis& across = vertical ? panel_.y : panel_.x;
    std::string rows;
    for (const ChartPoint& point : series.points) {
      rows += vertical ? fmt::format("{} {}\n{} {}\n\n", point.x, across.lo, point.x, across.hi)
                       : fmt::format("{} {}\n{} {}\n\n", across.lo, point.y, across.hi, point.y);
    }
    add(block(rows), fmt::format("using 1:2 with lines lc rgb '{}' lw 1.4{}",
                                 series_stand_in(series.name), dash(series)));
  }

  const Chart& chart_;
  const ChartPanel& panel_;
  Size size_;
  std::string out_;
  std::vector<std::string> plots_;
  Dots dots_;
  std::size_t most_dots_ = 1;
  std::size_t points_ = 0;
  std::size_t blocks_ = 0;
};

// One gnuplot process draws everything; this stands before each panel.
std::string set_up(const Size& size) {
  return fmt::format(
      "reset\n"
      "set terminal svg size {},{} dynamic noenhanced font 'sans-serif,13'\n"
      "set encoding utf8\n"
      "unset key\n"
      "set border 3 lc rgb '{}'\n"
      "set tics nomirror out scale 0.5,0.25 textcolor rgb '{}'\n"
      "set xtics offset 0,0.4\n"
      "set xlabel offset 0,0.9 textcolor rgb '{}'\nset ylabel offset 0.5,0 textcolor rgb '{}'\n"
      "set bmargin 2.6\nset tmargin 0.6\nset rmargin 2.5\n"
      "set grid xtics ytics lc rgb '{}' lw 1 dt solid\n",
      size.width, size.height, kInkStandIn, kInkStandIn, kInkStandIn, kInkStandIn, kGridStandIn);
}

/// The element with the description that a reader without eyes gets.
std::string finished(const std::string& elements, const Size& size, const std::string& alt) {
  return fmt::format(
      "<svg class=\"plot\" viewBox=\"0 0 {} {}\" fill=\"none\" stroke=\"currentColor\" "
      "stroke-linecap=\"round\" font-size=\"13\" role=\"img\" aria-label=\"{}\">{}</svg>",
      size.width, size.height, html_escaped(alt), elements);
}

}  // namespace

std::string marker_entity(std::size_t series) { return marker_of(series).entity; }

std::string gnuplot_quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    // A digit behind an escape would belong to it.
    const bool plain = (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z');
    if (byte < 0x20 || byte == 0x7F || byte == ' ') {
      out += ' ';
    } else if (plain) {
      out += c;
    } else {
      out += fmt::format("\\{:03o}", byte);
    }
  }
  return out + '"';
}

std::string gnuplot_tick(const std::string& text) {
  std::string format;
  for (const char c : text) format += c == '%' ? std::string("%%") : std::string(1, c);
  return gnuplot_quoted(format);
}

std::string gnuplot_script(const Chart& chart, const ChartPanel& panel) {
  return Script(chart, panel).text();
}

Drawings draw(const std::vector<Chart>& charts) {
  Drawings out;
  std::string script;
  std::size_t panels = 0;
  for (const Chart& chart : charts) {
    for (const ChartPanel& panel : chart.panels) {
      script += set_up(size_of(chart, panel)) + gnuplot_script(chart, panel) + "set output\n";
      ++panels;
    }
  }
  if (panels == 0) {
    out.panels.resize(charts.size());
    return out;
  }
  const std::string drawn = run_gnuplot(script);
  const std::string kBegin = "<?xml";
  std::vector<std::string> parts;
  for (std::size_t at = drawn.find(kBegin); at != std::string::npos;) {
    const std::size_t next = drawn.find(kBegin, at + kBegin.size());
    parts.push_back(drawn.substr(at, next == std::string::npos ? next : next - at));
    at = next;
  }
  if (parts.size() != panels) {
    throw_run(fmt::format("gnuplot drew {} charts, expected {}", parts.size(), panels), kOtherWay);
  }
  std::size_t next = 0;
  for (const Chart& chart : charts) {
    std::vector<std::string> row;
    for (const ChartPanel& panel : chart.panels) {
      // The first panel says it all, the others which they are.
      const std::string alt =
          row.empty() ? chart.alt : fmt::format("{}, {}", chart.title, panel.name);
      const PageSvg svg = page_svg(parts[next++]);
      out.markers = svg.markers;
      row.push_back(finished(svg.elements, size_of(chart, panel), alt));
    }
    out.panels.push_back(std::move(row));
  }
  return out;
}

}  // namespace xfq::report
