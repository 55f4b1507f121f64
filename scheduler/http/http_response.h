#ifndef HYDRA_SCHEDULER_HTTP_HTTP_RESPONSE_H_
#define HYDRA_SCHEDULER_HTTP_HTTP_RESPONSE_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "google/protobuf/message.h"

namespace hydra {

// What a request is answered. A value. The listener adds the headers that all
// answers have.
struct HttpResponse {
  int status = 200;
  std::string content_type;
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
};

// The JSON of a message, with the names that its .proto has; what is not set,
// or is zero, is left out.
HttpResponse JsonResponse(const google::protobuf::Message& message);

// The JSON of a google.rpc.Status, with what HTTP calls `error`.
HttpResponse ErrorResponse(const absl::Status& error);
// The same with another HTTP status.
HttpResponse ErrorResponse(int status, const absl::Status& error);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_HTTP_HTTP_RESPONSE_H_
