// One chart as an SVG file of its own.
#include "drawing.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <string_view>
#include <utility>

#include "embedded.h"
#include "gnuplot.h"
#include "gnuplot_svg.h"
#include "html.h"
#include "xfq/core/error.h"
#include "xfq/core/utf8.h"

namespace xfq::report {

namespace {

// In units of the drawing, which are pixels at its natural size.
constexpr double kEdge = 16;
constexpr double kGap = 12;
constexpr std::size_t kColumns = 3;
constexpr double kPanelWidth = 330;
constexpr double kOnlyPanelWidth = 480;
constexpr double kTitleSize = 17;
constexpr double kTextSize = 13;
constexpr double kNoteSize = 12;
constexpr double kLeading = 1.5;  // height of a line over the size of its letters

/// About how wide a text is: Latin letters a bit more than half of their height, others all of it.
double text_width(const std::string& text, double size) {
  double width = 0;
  for (std::size_t i = 0; i < text.size(); i += utf8_length(text[i])) {
    width += (utf8_length(text[i]) < 3 ? 0.58 : 1.0) * size;
  }
  return width;
}

/// Lines of at most that width, broken at spaces and around letters that know none.
std::vector<std::string> lines_of(const std::string& text, double size, double width) {
  std::vector<std::string> lines;
  std::string line;
  std::size_t space = std::string::npos;  // the last one of the line
  for (std::size_t i = 0; i < text.size();) {
    const std::string letter = text.substr(i, utf8_length(text[i]));
    if (!line.empty() && text_width(line + letter, size) > width) {
      const bool at_space = letter.size() < 3 && space != std::string::npos;
      lines.push_back(at_space ? line.substr(0, space) : line);
      line = at_space ? line.substr(space + 1) : std::string();
      space = std::string::npos;
    }
    if (letter == " ") space = line.size();
    line += letter;
    i += letter.size();
  }
  if (!line.empty()) lines.push_back(line);
  return lines;
}

/// The variables of one ":root { ... }" of the style sheet.
using Colors = std::map<std::string, std::string>;
Colors colors_of(std::string_view style, std::size_t from) {
  const std::size_t begin = style.find('{', style.find(":root", from)) + 1;
  const std::size_t end = style.find('}', begin);
  Colors colors;
  for (std::size_t at = begin; (at = style.find("--", at)) < end;) {
    const std::size_t colon = style.find(':', at);
    const std::size_t stop = style.find(';', colon);
    colors.emplace(style.substr(at, colon - at), style.substr(colon + 2, stop - colon - 2));
    at = stop;
  }
  return colors;
}

/// The colours on a light and on a dark screen.
struct Palette {
  Colors light;
  Colors dark;
};

Palette palette() {
  const std::string_view style = embedded_file("page/style.css");
  return {colors_of(style, 0), colors_of(style, style.find("prefers-color-scheme: dark"))};
}

/// Every attribute that is "var(--name)" as its colour. Texts may say so too, and stay.
std::string with_colors(std::string svg, const Colors& colors) {
  for (const auto& [name, color] : colors) {
    for (const char quote : {'"', '\''}) {
      const std::string from = fmt::format("={0}var({1}){0}", quote, name);
      const std::string to = fmt::format("=\"{}\"", color);
      for (std::size_t at = 0; (at = svg.find(from, at)) != std::string::npos; at += to.size()) {
        svg.replace(at, from.size(), to);
      }
    }
  }
  return svg;
}

/// A rule goes before an attribute, so each colour that an attribute has gets one.
std::string style_of(const Palette& palette, const std::string& body) {
  std::string rules;
  for (const auto& [name, color] : palette.light) {
    if (body.find("var(" + name + ")") == std::string::npos) continue;
    for (const char* const property : {"fill", "stroke", "color"}) {
      rules += fmt::format("[{0}=\"{1}\"]{{{0}:{2}}}", property, color, palette.dark.at(name));
    }
  }
  const std::string ink = "text{{stroke:none;fill:{0}}}g[fill] text,tspan{{fill:inherit}}";
  return fmt::format("<style>{}@media (prefers-color-scheme:dark){{{}{}}}</style>\n",
                     fmt::format(fmt::runtime(ink), palette.light.at("--ink")),
                     fmt::format(fmt::runtime(ink), palette.dark.at("--ink")), rules);
}

struct Box {
  double width = 0;
  double height = 0;
};

/// "viewBox=\"0 0 W H\"" of a panel.
Box box_of(const std::string& panel) {
  const std::string kBegin = "viewBox=\"0 0 ";
  const std::size_t at = panel.find(kBegin);
  Box box;
  if (at == std::string::npos ||
      std::sscanf(panel.c_str() + at + kBegin.size(), "%lf %lf", &box.width, &box.height) != 2) {
    throw_run("a drawing has no size");
  }
  return box;
}

/// Puts texts and panels below each other.
class Sheet {
 public:
  explicit Sheet(double width) : width_(width) {}

  void paragraph(const std::vector<std::string>& lines, double size, const std::string& more = {}) {
    for (const std::string& one : lines) {
      y_ += size * kLeading;
      body_ += fmt::format("<text x=\"{}\" y=\"{:.1f}\" font-size=\"{}\"{}>{}</text>\n", kEdge,
                           y_ - 0.4 * size, size, more, html_escaped(one));
    }
  }

  void legend(const Chart& chart, const std::vector<LegendItem>& items) {
    if (items.empty()) return;
    constexpr double kSign = 22;
    double x = kEdge;
    y_ += kTextSize * kLeading;
    for (const LegendItem& item : items) {
      const std::string& name = chart.series[item.series];
      const double width = kSign + text_width(name, kTextSize) + kGap;
      if (x > kEdge && x + width > width_) {
        x = kEdge;
        y_ += kTextSize * kLeading;
      }
      body_ += fmt::format(
          "<g fill=\"var(--series-{})\"><text x=\"{:.1f}\" y=\"{:.1f}\" "
          "font-size=\"{}\">{}</text></g><text x=\"{:.1f}\" y=\"{:.1f}\" font-size=\"{}\">{}"
          "</text>\n",
          item.series % kColors + 1, x, y_ - 0.4 * kTextSize, kTextSize, item.sign, x + kSign,
          y_ - 0.4 * kTextSize, kTextSize, html_escaped(name));
      x += width;
    }
  }

  /// Rows of panels of that width, each below its name.
  void panels(const Chart& chart, const std::vector<std::string>& drawn, double width) {
    const std::size_t columns = std::min(drawn.size(), kColumns);
    for (std::size_t first = 0; first < drawn.size(); first += columns) {
      double tallest = 0;
      double name_height = 0;
      for (std::size_t i = first; i < std::min(first + columns, drawn.size()); ++i) {
        const Box box = box_of(drawn[i]);
        const double x = kEdge + static_cast<double>(i - first) * (width + kGap);
        const std::string& name = chart.panels[i].name;
        if (!name.empty()) {
          name_height = kTextSize * kLeading;
          body_ += fmt::format(
              "<text x=\"{:.1f}\" y=\"{:.1f}\" font-size=\"{}\" text-anchor=\"middle\">{}</text>\n",
              x + width / 2, y_ + name_height, kTextSize, html_escaped(name));
        }
        const double height = width * box.height / box.width;
        tallest = std::max(tallest, height);
        constexpr std::string_view kTag = "<svg ";
        body_ +=
            fmt::format("<svg x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" {}\n", x,
                        y_ + name_height + kGap / 2, width, height, drawn[i].substr(kTag.size()));
      }
      y_ += name_height + tallest + kGap;
    }
  }

  std::string finished(const std::string& alt, const std::string& markers) const {
    const double height = y_ + kEdge;
    const Palette colors = palette();
    const std::string content = fmt::format(
        "<rect x=\"0.5\" y=\"0.5\" width=\"{:.0f}\" height=\"{:.0f}\" rx=\"6\" "
        "fill=\"var(--surface)\" stroke=\"var(--grid)\"/>\n{}",
        width_ - 1, height - 1, body_);
    return fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" "
        "width=\"{0:.0f}\" height=\"{1:.0f}\" viewBox=\"0 0 {0:.0f} {1:.0f}\" "
        "font-family=\"sans-serif\" role=\"img\">\n<title>{2}</title>\n{3}{4}\n{5}</svg>\n",
        width_, height, html_escaped(alt), style_of(colors, content), markers,
        with_colors(content, colors.light));
  }

  double inner_width() const { return width_ - 2 * kEdge; }

 private:
  double width_;
  double y_ = kEdge / 2;
  std::string body_;
};

}  // namespace

std::vector<LegendItem> legend_of(const Chart& chart) {
  std::map<std::size_t, const ChartSeries*> used;
  for (const ChartPanel& panel : chart.panels) {
    for (const ChartSeries& series : panel.series) used.emplace(series.name, &series);
  }
  std::vector<LegendItem> items;
  for (const auto& [index, series] : used) {
    if (chart.series[index].empty()) continue;
    std::string sign = marker_entity(index);
    switch (series->mark) {
      case Mark::line:
      case Mark::point:
      case Mark::dot:
        if (series->dashed) sign = "- -";
        break;
      case Mark::histogram:
      case Mark::heatmap:
        sign = "&#9632;";
        break;
      case Mark::vertical:
        sign = series->dashed ? "&#9478;" : "&#9474;";
        break;
      case Mark::horizontal:
        sign = series->dashed ? "- -" : "&#8212;";
        break;
    }
    items.push_back({index, std::move(sign)});
  }
  return items;
}

std::string to_svg(const Chart& chart) {
  const Drawings drawings = draw({chart});
  const std::vector<std::string>& panels = drawings.panels.front();
  const bool several = panels.size() > 1;
  const double panel_width = several ? kPanelWidth : kOnlyPanelWidth;
  const auto columns = static_cast<double>(std::min(panels.size(), kColumns));
  Sheet sheet(columns * panel_width + (columns - 1) * kGap + 2 * kEdge);
  sheet.paragraph(lines_of(chart.title, kTitleSize, sheet.inner_width()), kTitleSize,
                  " font-weight=\"600\"");
  sheet.legend(chart, legend_of(chart));
  sheet.panels(chart, panels, panel_width);
  for (const std::string& note : chart.notes) {
    sheet.paragraph(lines_of(note, kNoteSize, sheet.inner_width()), kNoteSize);
  }
  return sheet.finished(chart.alt, drawings.markers);
}

}  // namespace xfq::report
