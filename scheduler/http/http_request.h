#ifndef HYDRA_SCHEDULER_HTTP_HTTP_REQUEST_H_
#define HYDRA_SCHEDULER_HTTP_HTTP_REQUEST_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/container/btree_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "scheduler/core/caller.h"

namespace hydra {

// What a request asks for, and who asks. A value.
struct HttpRequest {
  Caller caller;
  // Begins with '/', and is decoded: UTF-8 without control characters.
  std::string path;
  // Decoded alike.
  absl::btree_map<std::string, std::string> query;
};

inline constexpr size_t kMostTargetBytes = 2048;
inline constexpr int kMostParameters = 8;

// Reads a request's target, as its first line has it: "/path?name=value&...".
// Pure. No '+' is a space, and no parameter comes twice. The caller is the
// listener's business.
//
// INVALID_ARGUMENT: it is none, with what is wrong.
absl::StatusOr<HttpRequest> ParseHttpTarget(absl::string_view target);

// Whether a Host header names this machine as itself, with any port: a name
// that somebody else's DNS lets lead here is none of these, so that no page of
// theirs reads what this server says. Pure.
bool IsOwnHost(absl::string_view host);

// Of a parameter that is a number.
//
// INVALID_ARGUMENT: it is no whole number from `least` to `most`.
absl::StatusOr<int64_t> IntegerParameter(const HttpRequest& request,
                                         absl::string_view name,
                                         int64_t otherwise, int64_t least,
                                         int64_t most);

// Of a parameter that is a text; empty if it is not there.
std::string TextParameter(const HttpRequest& request, absl::string_view name);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_HTTP_HTTP_REQUEST_H_
