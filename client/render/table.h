#ifndef HYDRA_CLIENT_RENDER_TABLE_H_
#define HYDRA_CLIENT_RENDER_TABLE_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace hydra {

// An ANSI colour; kPlain adds nothing.
enum class Style { kPlain, kDim, kBold, kRed, kGreen, kYellow, kCyan };

// `text` in `style` when `color` is set, else as it is.
std::string Styled(absl::string_view text, Style style, bool color);

struct Column {
  std::string title;
  bool align_right = false;
  // Gives up width first when the table is too wide.
  bool flexible = false;
};

struct Cell {
  Cell(std::string text, Style style = Style::kPlain)  // NOLINT: a text is one
      : text(std::move(text)), style(style) {}
  Cell(const char* text) : text(text) {}  // NOLINT: so is a literal

  std::string text;
  Style style = Style::kPlain;
};

// Lays out rows of text in columns. Cells are escaped here, so callers hand in
// what they got. Not thread-safe.
class Table {
 public:
  explicit Table(std::vector<Column> columns);

  // `row` has as many cells as there are columns.
  void AddRow(std::vector<Cell> row);

  // The title line, then the rows, each without its newline and none wider than
  // `width` columns. Width 0 means no limit.
  std::vector<std::string> Lines(int width, bool color) const;

  // The same as one text that ends with a newline.
  std::string Render(int width, bool color) const;

 private:
  std::vector<int> Widths(int width) const;

  const std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

}  // namespace hydra

#endif  // HYDRA_CLIENT_RENDER_TABLE_H_
