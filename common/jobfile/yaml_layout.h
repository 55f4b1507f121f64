#ifndef HYDRA_COMMON_JOBFILE_YAML_LAYOUT_H_
#define HYDRA_COMMON_JOBFILE_YAML_LAYOUT_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace hydra {

// A place in a text, and what is wrong there. Lines and columns count from 1,
// columns in characters.
struct LayoutMistake {
  int line = 1;
  int column = 1;
  std::string description;
};

// Where a text that a YAML parser refused in line `parser_line` probably goes
// wrong, and what was meant. A parser notices many mistakes late, and names its
// own rules: this looks at each line up to there for what people really get
// wrong, such as a tab in the indentation or a missing blank after ':'.
// Nothing: none was recognised, and the parser's message is the best there is.
//
// Pure. Takes time in proportion to the text. For refused texts only: it may
// see a mistake in a text that is right.
std::optional<LayoutMistake> FindLayoutMistake(absl::string_view text,
                                               int parser_line);

}  // namespace hydra

#endif  // HYDRA_COMMON_JOBFILE_YAML_LAYOUT_H_
