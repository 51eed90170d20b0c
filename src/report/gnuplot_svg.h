// Makes what gnuplot's SVG terminal writes part of a page: in the page's colours, and small.
#pragma once

#include <cstddef>
#include <string>

namespace xfq::report {

/// Colours of series before they repeat.
inline constexpr std::size_t kColors = 8;

// What a script says for the style sheet's variables --ink, --grid, --series-1 ... --series-8:
// colours that no chart uses. page_svg() puts the variables in their place.
inline constexpr const char* kInkStandIn = "#010101";
inline constexpr const char* kGridStandIn = "#020202";
std::string series_stand_in(std::size_t series);

/// What one file of gnuplot holds.
struct PageSvg {
  std::string markers;   ///< <defs> with the shapes of points, the same in every file
  std::string elements;  ///< what is drawn, without an <svg> around it
};

/// The same drawing in a third fewer bytes: coordinates in tenths of a unit, and without what
/// an <svg fill="none" stroke="currentColor" stroke-linecap="round" font-size="13"> and the
/// style sheet say anyway. Throws ErrorKind::run when it is no drawing of gnuplot.
PageSvg page_svg(const std::string& svg);

}  // namespace xfq::report
