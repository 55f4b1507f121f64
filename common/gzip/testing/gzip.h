#ifndef HYDRA_COMMON_GZIP_TESTING_GZIP_H_
#define HYDRA_COMMON_GZIP_TESTING_GZIP_H_

#include <string>

#include "absl/strings/string_view.h"

namespace hydra {

// The text as one gzip member.
std::string Gzip(absl::string_view text);

}  // namespace hydra

#endif  // HYDRA_COMMON_GZIP_TESTING_GZIP_H_
