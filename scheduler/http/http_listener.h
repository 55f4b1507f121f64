#ifndef HYDRA_SCHEDULER_HTTP_HTTP_LISTENER_H_
#define HYDRA_SCHEDULER_HTTP_HTTP_LISTENER_H_

#include <functional>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/file/file.h"
#include "scheduler/http/http_request.h"
#include "scheduler/http/http_response.h"

namespace hydra {

// What an HTTP listener lets its clients take.
struct HttpLimits {
  // Connections at a time.
  int connections = 64;
  // Of one user by a unix socket, or of one address.
  int connections_for_each = 16;
  // A connection on which nothing moves for so long is closed.
  absl::Duration patience = absl::Seconds(10);
  // And every one after so long, whatever moves on it: a request's head that
  // comes byte by byte holds it no longer.
  absl::Duration life = absl::Seconds(60);
};

// Answers HTTP requests on one socket: GET and HEAD alone, one request for each
// connection, no bodies, hosts that are this machine's own names alone. Who
// calls by a unix socket is told to the handler as the kernel says.
//
// The handler is called on threads of the listener, several at a time. Methods
// of this class are for one thread.
class HttpListener {
 public:
  using Handler = std::function<HttpResponse(const HttpRequest&)>;

  // Serves as soon as it is made, on `socket`, which listens and does not
  // block.
  //
  // INTERNAL: the system has no threads or descriptors for it.
  static absl::StatusOr<std::unique_ptr<HttpListener>> Open(
      UniqueFd socket, Handler handler, const HttpLimits& limits);

  // Nobody is served any more; returns when no call of the handler runs.
  virtual ~HttpListener() = default;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_HTTP_HTTP_LISTENER_H_
