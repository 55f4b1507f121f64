#ifndef HYDRA_CLIENT_RENDER_TERMINAL_SIZE_H_
#define HYDRA_CLIENT_RENDER_TERMINAL_SIZE_H_

namespace hydra {

// A terminal's size in columns and lines; 0 means no limit.
struct TerminalSize {
  int width = 0;
  int height = 0;
};

}  // namespace hydra

#endif  // HYDRA_CLIENT_RENDER_TERMINAL_SIZE_H_
