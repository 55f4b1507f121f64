#include "client/terminal.h"

#include <optional>
#include <string>
#include <utility>

namespace hydra {

Terminal MakeTerminal(bool is_terminal, const GetEnv& getenv,
                      std::function<TerminalSize()> size) {
  Terminal terminal;
  if (!is_terminal) return terminal;
  terminal.present = true;
  terminal.size = std::move(size);
  const std::optional<std::string> term = getenv("TERM");
  const std::optional<std::string> no_color = getenv("NO_COLOR");
  terminal.in_place = term.has_value() && !term->empty() && *term != "dumb";
  terminal.color =
      terminal.in_place && (!no_color.has_value() || no_color->empty());
  return terminal;
}

}  // namespace hydra
