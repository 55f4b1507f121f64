#include "scheduler/http/http_listener.h"

#include <fcntl.h>
#include <microhttpd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/clock/steady_event.h"
#include "common/clock/steady_time.h"
#include "common/text/printable.h"
#include "scheduler/http/http_connections.h"

namespace hydra {
namespace {

// Most is answered from memory; logs, old steps and old jobs are read from the
// disk meanwhile.
constexpr unsigned kThreads = 2;
// Of one connection: the head of its request and the answer's.
constexpr size_t kConnectionBytes = 16 << 10;
constexpr absl::Duration kLookForOld = absl::Seconds(1);

// All answers have these. What a browser shows of them runs and loads nothing,
// unless the answer says otherwise, and no other page gets them.
constexpr std::pair<const char*, const char*> kHeaders[] = {
    {"Cache-Control", "no-store"},
    {"Connection", "close"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Referrer-Policy", "no-referrer"},
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "DENY"},
};
constexpr absl::string_view kPolicyName = "Content-Security-Policy";
constexpr const char* kStrictPolicy =
    "default-src 'none'; frame-ancestors 'none'";

// What is known of a request before its head is read.
struct Begun {
  std::string target;
};

void* OnTarget(void*, const char* target, MHD_Connection*) {
  return new Begun{target};
}

void OnCompleted(void*, MHD_Connection*, void** request,
                 MHD_RequestTerminationCode) {
  delete static_cast<Begun*>(*request);
  *request = nullptr;
}

absl::string_view Header(MHD_Connection* connection, const char* name) {
  const char* value =
      MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
  return value == nullptr ? "" : value;
}

// A request with a body is refused before the body is read.
bool HasBody(MHD_Connection* connection) {
  const absl::string_view length =
      Header(connection, MHD_HTTP_HEADER_CONTENT_LENGTH);
  return (!length.empty() && length != "0") ||
         !Header(connection, MHD_HTTP_HEADER_TRANSFER_ENCODING).empty();
}

HttpResponse NotAllowed(absl::string_view method) {
  HttpResponse response =
      ErrorResponse(MHD_HTTP_METHOD_NOT_ALLOWED,
                    absl::UnimplementedError(absl::StrCat(
                        "expected GET or HEAD, found ", Quoted(method))));
  response.headers.emplace_back(MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
  return response;
}

MHD_Result Send(MHD_Connection* connection, const HttpResponse& answer) {
  MHD_Response* const response = MHD_create_response_from_buffer(
      answer.body.size(), const_cast<char*>(answer.body.data()),
      MHD_RESPMEM_MUST_COPY);
  if (response == nullptr) return MHD_NO;
  for (const auto& [name, value] : kHeaders) {
    MHD_add_response_header(response, name, value);
  }
  MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                          answer.content_type.c_str());
  bool has_policy = false;
  for (const auto& [name, value] : answer.headers) {
    MHD_add_response_header(response, name.c_str(), value.c_str());
    has_policy = has_policy || name == kPolicyName;
  }
  if (!has_policy) {
    MHD_add_response_header(response, kPolicyName.data(), kStrictPolicy);
  }
  const MHD_Result queued = MHD_queue_response(
      connection, static_cast<unsigned>(answer.status), response);
  MHD_destroy_response(response);
  return queued;
}

class MicroHttpListener final : public HttpListener {
 public:
  MicroHttpListener(Handler handler, const HttpLimits& limits)
      : handler_(std::move(handler)),
        connections_(limits.connections_for_each, limits.life) {}

  ~MicroHttpListener() override {
    stop_.Notify();
    if (closer_.joinable()) closer_.join();
    if (daemon_ != nullptr) MHD_stop_daemon(daemon_);
  }

  absl::Status Start(UniqueFd socket, const HttpLimits& limits) {
    // The library closes the one that it is given.
    const int own = fcntl(socket.get(), F_DUPFD_CLOEXEC, 0);
    if (own < 0) return CannotStart();
    daemon_ = MHD_start_daemon(
        MHD_USE_AUTO_INTERNAL_THREAD, 0, nullptr, nullptr, &OnRequest, this,
        MHD_OPTION_LISTEN_SOCKET, own, MHD_OPTION_THREAD_POOL_SIZE, kThreads,
        MHD_OPTION_CONNECTION_LIMIT,
        static_cast<unsigned>(
            std::max(limits.connections, static_cast<int>(kThreads))),
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, kConnectionBytes,
        MHD_OPTION_CONNECTION_TIMEOUT,
        static_cast<unsigned>(
            std::max<int64_t>(absl::ToInt64Seconds(limits.patience), 1)),
        MHD_OPTION_URI_LOG_CALLBACK, &OnTarget, nullptr,
        MHD_OPTION_NOTIFY_COMPLETED, &OnCompleted, nullptr,
        MHD_OPTION_NOTIFY_CONNECTION, &OnConnection, this, MHD_OPTION_END);
    if (daemon_ == nullptr) return CannotStart();
    closer_ = std::thread([this] {
      while (!stop_.WaitFor(kLookForOld)) {
        connections_.ShutDownOld(SteadyNow());
      }
    });
    return absl::OkStatus();
  }

 private:
  static absl::Status CannotStart() {
    return absl::InternalError(
        absl::StrCat("cannot start an HTTP listener: ", std::strerror(errno)));
  }

  static void OnConnection(void* self, MHD_Connection* connection, void** place,
                           MHD_ConnectionNotificationCode code) {
    HttpConnections& connections =
        static_cast<MicroHttpListener*>(self)->connections_;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
      const int fd =
          MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)
              ->connect_fd;
      *place = new HttpConnections::Place(connections.Begin(fd, SteadyNow()));
      return;
    }
    auto* const begun = static_cast<HttpConnections::Place*>(*place);
    connections.End(*begun);
    delete begun;
  }

  static MHD_Result OnRequest(void* self, MHD_Connection* connection,
                              const char*, const char* method, const char*,
                              const char*, size_t*, void** request) {
    const auto& listener = *static_cast<MicroHttpListener*>(self);
    return Send(connection,
                listener.Answer(connection, method,
                                static_cast<const Begun*>(*request)->target));
  }

  HttpResponse Answer(MHD_Connection* connection, absl::string_view method,
                      const std::string& target) const {
    if (method != MHD_HTTP_METHOD_GET && method != MHD_HTTP_METHOD_HEAD) {
      return NotAllowed(method);
    }
    const absl::string_view host = Header(connection, MHD_HTTP_HEADER_HOST);
    if (!IsOwnHost(host)) {
      return ErrorResponse(
          MHD_HTTP_MISDIRECTED_REQUEST,
          absl::InvalidArgumentError(absl::StrCat(
              "Host: expected localhost, 127.x.x.x or [::1], found ",
              Quoted(host))));
    }
    if (HasBody(connection)) {
      return ErrorResponse(
          MHD_HTTP_BAD_REQUEST,
          absl::InvalidArgumentError("expected no body, found one"));
    }
    absl::StatusOr<HttpRequest> request = ParseHttpTarget(target);
    if (!request.ok()) return ErrorResponse(request.status());
    request->caller = (*static_cast<HttpConnections::Place*>(
                           MHD_get_connection_info(
                               connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)
                               ->socket_context))
                          ->caller;
    return handler_(*request);
  }

  const Handler handler_;
  HttpConnections connections_;
  MHD_Daemon* daemon_ = nullptr;
  SteadyEvent stop_;
  std::thread closer_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<HttpListener>> HttpListener::Open(
    UniqueFd socket, Handler handler, const HttpLimits& limits) {
  auto listener =
      std::make_unique<MicroHttpListener>(std::move(handler), limits);
  const absl::Status started = listener->Start(std::move(socket), limits);
  if (!started.ok()) return started;
  return listener;
}

}  // namespace hydra
