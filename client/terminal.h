#ifndef HYDRA_CLIENT_TERMINAL_H_
#define HYDRA_CLIENT_TERMINAL_H_

#include <functional>

#include "client/connection/address.h"
#include "client/render/terminal_size.h"

namespace hydra {

// What one of the output streams is connected to.
struct Terminal {
  // False: a file or a pipe; then lines have no limit and no colour.
  bool present = false;
  bool color = false;
  // Whether escape sequences can move the cursor, so that a display can be
  // drawn over the last one.
  bool in_place = false;
  // Asked anew for each frame, since windows change their size. 0: unknown.
  std::function<TerminalSize()> size = [] { return TerminalSize(); };
};

// The terminal of a stream that is one if `is_terminal` is set. $TERM that is
// unset, empty or "dumb" means no escape sequences at all, $NO_COLOR no
// colours.
Terminal MakeTerminal(bool is_terminal, const GetEnv& getenv,
                      std::function<TerminalSize()> size);

}  // namespace hydra

#endif  // HYDRA_CLIENT_TERMINAL_H_
