#include "scheduler/http/http_response.h"

#include "google/protobuf/util/json_util.h"
#include "google/rpc/status.pb.h"

namespace hydra {
namespace {

int HttpStatusOf(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kInvalidArgument:
      return 400;
    case absl::StatusCode::kPermissionDenied:
      return 403;
    case absl::StatusCode::kNotFound:
      return 404;
    case absl::StatusCode::kResourceExhausted:
      return 429;
    case absl::StatusCode::kUnavailable:
      return 503;
    default:
      return 500;
  }
}

}  // namespace

HttpResponse JsonResponse(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  HttpResponse response;
  response.content_type = "application/json";
  const auto written = google::protobuf::util::MessageToJsonString(
      message, &response.body, options);
  if (!written.ok()) {
    return ErrorResponse(absl::InternalError("the answer is no JSON"));
  }
  return response;
}

HttpResponse ErrorResponse(const absl::Status& error) {
  return ErrorResponse(HttpStatusOf(error.code()), error);
}

HttpResponse ErrorResponse(int status, const absl::Status& error) {
  google::rpc::Status told;
  told.set_code(static_cast<int>(error.code()));
  told.set_message(std::string(error.message()));
  HttpResponse response = JsonResponse(told);
  response.status = status;
  return response;
}

}  // namespace hydra
