// What a page keeps of gnuplot's SVG.
#include "gnuplot_svg.h"

#include <algorithm>
#include <string>

#include "catch.h"
#include "xfq/core/error.h"

namespace xfq::report {
namespace {

/// The frame of a file of gnuplot 5.4 around what it draws.
std::string file(const std::string& drawn) {
  return "<?xml version='1.0' encoding='utf-8'  standalone='no'?>\n"
         "<svg viewBox='0 0 300 200' xmlns='http://www.w3.org/2000/svg'\n"
         " xmlns:xlink='http://www.w3.org/1999/xlink'>\n"
         "<title>Gnuplot</title>\n<g id='gnuplot_canvas'>\n"
         "<rect x='0' y='0' width='300' height='200' fill='none'/>\n"
         "<defs><circle id='gpPt5' r='1'/><filter id='textbox'/></defs>\n" +
         drawn + "</g>\n</svg>\n";
}

/// What gnuplot writes around everything.
std::string group(const std::string& drawn) {
  return "<g fill='none' color='black' stroke='currentColor' stroke-width='1.00' "
         "stroke-linecap='butt' stroke-linejoin='miter'>\n" +
         drawn + "</g>\n";
}

/// With the quotes that need no escape here.
std::string single_quoted(std::string svg) {
  std::replace(svg.begin(), svg.end(), '"', '\'');
  return svg;
}

std::string elements(const std::string& drawn) {
  return single_quoted(page_svg(file(drawn)).elements);
}

TEST_CASE("stand-ins become the style sheet's variables, other colours stay") {
  const auto stroke = [](const std::string& color) {
    return elements("<path stroke='" + color + "' d='M1,2'/>");
  };
  CHECK(stroke("rgb(  3,   1,   2)") == "<path stroke='var(--series-3)' d='M1,2'/>");
  CHECK(series_stand_in(2) == "#030102");
  CHECK(series_stand_in(kColors) == series_stand_in(0));
  CHECK(stroke("rgb(1,1,1)") == "<path stroke='var(--ink)' d='M1,2'/>");
  CHECK(stroke("rgb(2,2,2)") == "<path stroke='var(--grid)' d='M1,2'/>");
  CHECK(stroke("rgb( 11,  60, 111)") == "<path stroke='rgb( 11,  60, 111)' d='M1,2'/>");
}

TEST_CASE("coordinates are tenths, the size of a point stays exact") {
  CHECK(elements("<path stroke='red' d='M-1.26,2.00 L10.04,-0.04\n\t\tL3e1,.5 Z  '/>") ==
        "<path stroke='red' d='M-1.3,2L10,0L30,0.5Z'/>");
  CHECK(elements("<polygon points='1.11,2.22   3.33,4.44 '/>") ==
        "<polygon points='1.1,2.2 3.3,4.4'/>");
  CHECK(elements("<use xlink:href='#gpPt6' transform='translate(1.26,2.04) scale(3.15)'/>") ==
        "<use href='#gpPt6' transform='translate(1.3,2) scale(3.15)'/>");
}

TEST_CASE("groups that say nothing go, titles and the background too") {
  CHECK(elements(group("")).empty());
  CHECK(elements("<g id='gnuplot_plot_1'><title>x</title>" +
                 group("<path stroke='red' d='M1,2'/>") + "</g>") ==
        "<path stroke='red' d='M1,2'/>");
  CHECK(elements(group("<g transform='translate(1.00,2.00)' stroke='none' fill='rgb(1,1,1)' "
                       "font-family='sans-serif' font-size='13.00' text-anchor='end'>"
                       "<text>10 %</text></g>")) ==
        "<text transform='translate(1,2)' text-anchor='end'>10 %</text>");
  // A style sheet goes before attributes, so the text has its colour from the group.
  CHECK(elements("<g fill='rgb(255,255,255)'><text>1</text></g>") ==
        "<g fill='rgb(255,255,255)'><text>1</text></g>");
  // Both move the text.
  CHECK(elements("<g transform='translate(1,2)'><text transform='rotate(90)'>1</text></g>") ==
        "<g transform='translate(1,2)'><text transform='rotate(90)'>1</text></g>");
}

TEST_CASE("points say their colour once, unless it differs") {
  CHECK(elements("<g><use color='red'/><use color='red'/></g>") ==
        "<g color='red'><use/><use/></g>");
  CHECK(elements("<g><use color='red'/><use color='blue'/></g>") ==
        "<use color='red'/><use color='blue'/>");
}

TEST_CASE("ticks become one path, what is drawn over a series stays over it") {
  const std::string tick = "<path stroke='rgb(1,1,1)' d='M1,2 L3,4'/>";
  const std::string line = "<path stroke='rgb(3,1,0)' d='M5,6 L7,8'/>";
  CHECK(elements(tick + "<text>1</text>" + tick + line + tick) ==
        "<path stroke='var(--ink)' d='M1,2L3,4M1,2L3,4'/><text>1</text>"
        "<path stroke='var(--series-1)' d='M5,6L7,8'/><path stroke='var(--ink)' d='M1,2L3,4'/>");
  CHECK(elements("<path stroke='rgb(1,1,1)' stroke-width='2' d='M1,2'/>" + tick) ==
        "<path stroke='var(--ink)' stroke-width='2' d='M1,2'/>"
        "<path stroke='var(--ink)' d='M1,2L3,4'/>");
}

TEST_CASE("text stays text, whatever it says") {
  CHECK(elements("<text>&lt;script>rgb(1,1,1) &amp;amp; \xe4\xb8\xad</text>") ==
        "<text>&lt;script&gt;rgb(1,1,1) &amp;amp; \xe4\xb8\xad</text>");
}

TEST_CASE("markers come without the filters that nothing refers to") {
  CHECK(single_quoted(page_svg(file("")).markers) == "<defs><circle id='gpPt5' r='1'/></defs>");
}

TEST_CASE("what is no drawing of gnuplot is refused") {
  for (const char* const bad : {"", "gnuplot> ", "<svg></svg>", "<svg><g><defs></g></svg>"}) {
    INFO(bad);
    CHECK_THROWS_AS(page_svg(bad), Error);
  }
}

}  // namespace
}  // namespace xfq::report
