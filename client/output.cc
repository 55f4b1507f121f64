#include "client/output.h"

#include <cerrno>
#include <cstring>
#include <ostream>

#include "absl/strings/str_cat.h"

namespace hydra {

absl::Status FlushOutput(const CliContext& context) {
  errno = 0;
  if (*context.out << std::flush) return absl::OkStatus();
  const int error = errno;
  return absl::FailedPreconditionError(
      absl::StrCat("cannot write the result", error == 0 ? "" : ": ",
                   error == 0 ? "" : std::strerror(error)));
}

}  // namespace hydra
