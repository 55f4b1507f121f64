#ifndef HYDRA_COMMON_SAFETENSORS_QUOTE_H_
#define HYDRA_COMMON_SAFETENSORS_QUOTE_H_

#include <string>

#include "absl/strings/string_view.h"

namespace hydra::safetensors {

// `name` in quotes, fit for a log line whoever chose it: every byte that is not
// printable ASCII is escaped, and of a long name only the beginning is shown,
// with its length.
std::string Quoted(absl::string_view name);

}  // namespace hydra::safetensors

#endif  // HYDRA_COMMON_SAFETENSORS_QUOTE_H_
