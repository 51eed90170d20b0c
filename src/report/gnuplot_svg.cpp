// Makes what gnuplot's SVG terminal writes part of a page.
#include "gnuplot_svg.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <pugixml.hpp>
#include <sstream>
#include <string_view>
#include <utility>
#include <vector>

#include "gnuplot_process.h"
#include "xfq/core/error.h"

namespace xfq::report {

namespace {

using pugi::xml_attribute;
using pugi::xml_node;

constexpr std::string_view kInk = "var(--ink)";
constexpr std::string_view kGrid = "var(--grid)";
constexpr std::string_view kNone = "none";

/// What the outermost element and the style sheet say.
using Attribute = std::pair<std::string_view, std::string_view>;
constexpr std::array<Attribute, 12> kKnown = {{{"stroke-linecap", "butt"},
                                               {"stroke-linejoin", "miter"},
                                               {"stroke-width", "1.00"},
                                               {"stroke", "currentColor"},
                                               {"fill", "none"},
                                               {"color", "black"},
                                               {"color", "white"},
                                               {"color", "gray"},
                                               {"class", "gridline"},
                                               {"font-family", "Arial"},
                                               {"font-family", "sans-serif"},
                                               {"font-size", "13.00"}}};

/// The variable that "rgb(red, green, blue)" stands for, or the colour itself.
std::string with_variable(const std::string& color) {
  int red = 0;
  int green = 0;
  int blue = 0;
  if (std::sscanf(color.c_str(), "rgb(%d,%d,%d)", &red, &green, &blue) != 3) return color;
  if (red == 1 && green == 1 && blue == 1) return std::string(kInk);
  if (red == 2 && green == 2 && blue == 2) return std::string(kGrid);
  if (red == 3 && green == 1) return fmt::format("var(--series-{})", blue + 1);
  return color;
}

/// Numbers in tenths, one space between them and none beside a letter.
std::string rounded(const std::string& path) {
  std::string out;
  bool space = false;
  for (const char* at = path.c_str(); *at != '\0';) {
    const auto c = static_cast<unsigned char>(*at);
    if (std::isspace(c) != 0) {
      space = !out.empty();
      ++at;
      continue;
    }
    const bool number = std::isdigit(c) != 0 || c == '-' || c == '.';
    if (space && number && std::isalpha(static_cast<unsigned char>(out.back())) == 0) out += ' ';
    space = false;
    char* end = nullptr;
    const double value = number ? std::strtod(at, &end) : 0;
    if (number && end != at) {
      out += fmt::format("{}", std::round(value * 10) / 10 + 0.0);  // + 0.0: no -0
      at = end;
    } else {
      out += *at++;
    }
  }
  return out;
}

/// "translate(x,y) ..." with its two numbers in tenths.
std::string moved(const std::string& transform) {
  const std::size_t end = transform.find(')') + 1;
  return transform.rfind("translate(", 0) == 0
             ? rounded(transform.substr(0, end)) + transform.substr(end)
             : transform;
}

void tidy_attributes(xml_node node) {
  std::vector<xml_attribute> superfluous;
  for (xml_attribute attribute : node.attributes()) {
    const std::string name = attribute.name();
    const std::string value = with_variable(attribute.value());
    if (name == "id" || std::count(kKnown.begin(), kKnown.end(), Attribute(name, value)) > 0) {
      superfluous.push_back(attribute);
    } else if (name == "d" || name == "points") {
      attribute.set_value(rounded(value).c_str());
    } else if (name == "transform") {
      attribute.set_value(moved(value).c_str());
    } else {
      attribute.set_value(value.c_str());
      if (name == "xlink:href") attribute.set_name("href");
    }
  }
  for (const xml_attribute& attribute : superfluous) node.remove_attribute(attribute);
  // So does the style sheet with text.
  if (node.attribute("fill").value() == kInk && node.attribute("stroke").value() == kNone) {
    node.remove_attribute("fill");
    node.remove_attribute("stroke");
  }
}

std::vector<xml_node> elements_of(xml_node node) {
  std::vector<xml_node> elements;
  for (const xml_node child : node.children()) {
    if (child.type() == pugi::node_element) elements.push_back(child);
  }
  return elements;
}

bool share_no_attribute(xml_node one, xml_node other) {
  return std::none_of(one.attributes_begin(), one.attributes_end(),
                      [&](const xml_attribute& a) { return other.attribute(a.name()); });
}

/// What all points of a series say is said once.
void lift_color(xml_node group, const std::vector<xml_node>& children) {
  const std::string color = children.front().attribute("color").value();
  for (const xml_node child : children) {
    if (child.attribute("color").value() != color || color.empty()) return;
  }
  for (xml_node child : children) child.remove_attribute("color");
  group.append_attribute("color").set_value(color.c_str());
}

/// Drops groups that group nothing, and what no reader sees.
void tidy(xml_node node) {
  for (xml_node child : elements_of(node)) {
    if (std::string_view(child.name()) == "title") {
      node.remove_child(child);
      continue;
    }
    tidy_attributes(child);
    if (std::string_view(child.name()) != "g") continue;
    tidy(child);
    std::vector<xml_node> inner = elements_of(child);
    if (!inner.empty()) lift_color(child, inner);
    // The style sheet knows coloured text by its group.
    const bool merged =
        inner.size() == 1 && share_no_attribute(child, inner.front()) && !child.attribute("fill");
    if (merged) {
      for (const xml_attribute& attribute : child.attributes()) {
        inner.front().append_copy(attribute);
      }
    }
    if (merged || child.attributes().empty()) {
      for (const xml_node element : inner) node.insert_move_before(element, child);
    }
    if (merged || inner.empty() || child.attributes().empty()) node.remove_child(child);
  }
}

/// Ticks and grid lines, of which gnuplot makes a path each, as one path for each of the two.
void join_axes(xml_node drawing) {
  std::map<std::string, xml_node> known;
  for (xml_node element : elements_of(drawing)) {
    if (std::string_view(element.name()) == "text") continue;
    const std::string stroke = element.attribute("stroke").value();
    if (stroke != kInk && stroke != kGrid) return;  // a series: what follows lies on it
    std::string kind;
    for (const xml_attribute& attribute : element.attributes()) {
      if (std::string_view(attribute.name()) != "d") {
        kind += fmt::format("{}={} ", attribute.name(), attribute.value());
      }
    }
    const auto [first, is_new] = known.emplace(kind, element);
    if (is_new) continue;
    xml_attribute path = first->second.attribute("d");
    path.set_value((path.value() + std::string(element.attribute("d").value())).c_str());
    drawing.remove_child(element);
  }
}

std::string printed(xml_node node) {
  std::ostringstream out;
  node.print(out, "", pugi::format_raw);
  return out.str();
}

}  // namespace

std::string series_stand_in(std::size_t series) {
  return fmt::format("#0301{:02x}", series % kColors);
}

PageSvg page_svg(const std::string& svg) {
  pugi::xml_document document;
  const bool parsed = document.load_buffer(svg.data(), svg.size());
  xml_node canvas = document.child("svg").child("g");
  if (!parsed || !canvas.child("defs")) {
    throw_run("gnuplot wrote an SVG that is not as expected", kOtherWay);
  }
  PageSvg out;
  xml_node markers = canvas.child("defs");
  while (const xml_node filter = markers.child("filter")) markers.remove_child(filter);
  out.markers = printed(markers);
  canvas.remove_child(markers);
  canvas.remove_child("rect");  // the background
  tidy(canvas);
  join_axes(canvas);
  for (const xml_node element : elements_of(canvas)) out.elements += printed(element);
  return out;
}

}  // namespace xfq::report
