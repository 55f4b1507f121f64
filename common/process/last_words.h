#ifndef HYDRA_COMMON_PROCESS_LAST_WORDS_H_
#define HYDRA_COMMON_PROCESS_LAST_WORDS_H_

#include <string>

#include "absl/strings/string_view.h"
#include "common/file/file.h"

namespace hydra {

// What a program writes on its standard error, kept in memory: it needs no room
// on a disk, and the program can go on writing when this process has ended.
// Movable; not thread-safe.
class ErrorText {
 public:
  // Without a descriptor if the system has none to give.
  ErrorText();

  // The program's standard error. -1: there is none.
  int fd() const { return fd_.get(); }

  // The end of what was written, a few kilobytes at most.
  std::string Tail() const;

 private:
  UniqueFd fd_;
};

// Of what a program wrote before it ended, the lines that say why, in one line:
// the last ones, but for the stack traces that follow. Empty: it wrote nothing.
// Pure.
std::string LastWords(absl::string_view tail);

}  // namespace hydra

#endif  // HYDRA_COMMON_PROCESS_LAST_WORDS_H_
