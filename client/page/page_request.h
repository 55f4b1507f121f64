#ifndef HYDRA_CLIENT_PAGE_PAGE_REQUEST_H_
#define HYDRA_CLIENT_PAGE_PAGE_REQUEST_H_

#include <cstddef>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace hydra {

// What comes at a port that every account of a machine can reach, and that is
// for one of them: whoever knows a secret that is in the path.

// Of a request's first line and headers, with the empty line at their end.
inline constexpr size_t kMostHeadBytes = 16 << 10;

// 128 random bits, in hexadecimal digits.
std::string MakeSecret();

// The head of a request for "/SECRET/path" as one for "/path", else as it is.
// None: the secret is another one, or it is no GET or HEAD. Pure; it takes the
// same time for each wrong secret.
std::optional<std::string> WithoutSecret(absl::string_view head,
                                         absl::string_view secret);

}  // namespace hydra

#endif  // HYDRA_CLIENT_PAGE_PAGE_REQUEST_H_
