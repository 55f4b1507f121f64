#include "client/render/table.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/render/format.h"
#include "common/text/printable.h"

namespace hydra {
namespace {

constexpr int kGap = 2;
constexpr int kNarrowestFlexible = 8;

const char* AnsiCode(Style style) {
  switch (style) {
    case Style::kPlain:
      return "";
    case Style::kDim:
      return "\033[2m";
    case Style::kBold:
      return "\033[1m";
    case Style::kRed:
      return "\033[31m";
    case Style::kGreen:
      return "\033[32m";
    case Style::kYellow:
      return "\033[33m";
    case Style::kCyan:
      return "\033[36m";
  }
  return "";
}

int TotalWidth(const std::vector<int>& widths) {
  int total = -kGap;
  for (const int width : widths) total += width + kGap;
  return total;
}

// One line of cells, cut at `limit` columns (0: not at all).
std::string Line(const std::vector<Column>& columns,
                 const std::vector<Cell>& cells, const std::vector<int>& widths,
                 int limit, bool color) {
  std::string line;
  int used = 0;
  for (size_t i = 0; i < cells.size(); ++i) {
    const int gap = i == 0 ? 0 : kGap;
    const int room =
        limit > 0 ? std::min(widths[i], limit - used - gap) : widths[i];
    if (room <= 0) break;
    const std::string text = TruncateToWidth(cells[i].text, room);
    const std::string padding(room - DisplayWidth(text), ' ');
    const bool last = i + 1 == cells.size();
    line.append(gap, ' ');
    if (columns[i].align_right) line += padding;
    line += Styled(text, cells[i].style, color);
    if (!columns[i].align_right && !last) line += padding;
    used += gap + room;
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

}  // namespace

std::string Styled(absl::string_view text, Style style, bool color) {
  if (!color || style == Style::kPlain || text.empty()) {
    return std::string(text);
  }
  return absl::StrCat(AnsiCode(style), text, "\033[0m");
}

Table::Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

void Table::AddRow(std::vector<Cell> row) {
  for (Cell& cell : row) cell.text = Printable(cell.text);
  rows_.push_back(std::move(row));
}

std::vector<int> Table::Widths(int width) const {
  std::vector<int> widths;
  for (const Column& column : columns_) {
    widths.push_back(DisplayWidth(column.title));
  }
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], DisplayWidth(row[i].text));
    }
  }
  for (size_t i = 0; i < widths.size() && width > 0; ++i) {
    const int excess = TotalWidth(widths) - width;
    if (excess <= 0 || !columns_[i].flexible) continue;
    widths[i] =
        std::max(std::min(widths[i], kNarrowestFlexible), widths[i] - excess);
  }
  return widths;
}

std::vector<std::string> Table::Lines(int width, bool color) const {
  const std::vector<int> widths = Widths(width);
  std::vector<Cell> titles;
  for (const Column& column : columns_) {
    titles.emplace_back(column.title, Style::kDim);
  }
  std::vector<std::string> lines = {
      Line(columns_, titles, widths, width, color)};
  for (const auto& row : rows_) {
    lines.push_back(Line(columns_, row, widths, width, color));
  }
  return lines;
}

std::string Table::Render(int width, bool color) const {
  return absl::StrCat(absl::StrJoin(Lines(width, color), "\n"), "\n");
}

}  // namespace hydra
