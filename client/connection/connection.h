#ifndef HYDRA_CLIENT_CONNECTION_CONNECTION_H_
#define HYDRA_CLIENT_CONNECTION_CONNECTION_H_

#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/connection/interrupt.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "grpcpp/support/sync_stream.h"
#include "hydra/v1/hydra.grpc.pb.h"

namespace hydra {

// A channel to one server, and the two ways in which commands call it.
// Thread-safe. Connects when first used, and again when the server was away.
//
// Errors are those of the server; besides, DEADLINE_EXCEEDED when a call took
// longer than the timeout, and UNAVAILABLE when nobody listens. The messages of
// these two name the server.
class Connection {
 public:
  using Stub = v1::HydraService::Stub;

  // `address` as ResolveServer() makes it. `timeout` is for each call that is
  // no stream.
  Connection(std::string address, absl::Duration timeout);

  template <typename Request, typename Response>
  absl::StatusOr<Response> Call(
      grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                   Response*),
      const Request& request) {
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(absl::Now() + timeout_));
    Response response;
    const grpc::Status status =
        (stub_.get()->*method)(&context, request, &response);
    if (!status.ok()) return Explain(status);
    return response;
  }

  // Hands each message to `on_message` until the server ends the stream, or
  // `on_message` fails and its error is returned, or `interrupt` is triggered:
  // CANCELLED.
  template <typename Request, typename Response>
  absl::Status Read(
      std::unique_ptr<grpc::ClientReader<Response>> (Stub::*method)(
          grpc::ClientContext*, const Request&),
      const Request& request, Interrupt* interrupt,
      absl::FunctionRef<absl::Status(const Response&)> on_message) {
    grpc::ClientContext context;
    Interrupt::Scope scope(interrupt, [&context] { context.TryCancel(); });
    const auto reader = (stub_.get()->*method)(&context, request);
    absl::Status handled;
    Response response;
    while (handled.ok() && reader->Read(&response)) {
      handled = on_message(response);
    }
    if (!handled.ok()) context.TryCancel();
    const grpc::Status status = reader->Finish();
    if (!handled.ok()) return handled;
    return status.ok() ? absl::OkStatus() : Explain(status);
  }

  // After the server was away, waits until the channel is connected again, for
  // at most `patience`, or until `interrupt` is triggered. Without this a call
  // may fail although the server is back: a channel that has lost its server
  // fails calls at once, and connects only while something waits for it.
  void AwaitServer(absl::Duration patience, const Interrupt* interrupt) const;

  const std::string& address() const { return address_; }
  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }

 private:
  absl::Status Explain(const grpc::Status& status) const;

  const std::string address_;
  const absl::Duration timeout_;
  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<Stub> stub_;
};

}  // namespace hydra

#endif  // HYDRA_CLIENT_CONNECTION_CONNECTION_H_
