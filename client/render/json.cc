#include "client/render/json.h"

#include "glog/logging.h"
#include "google/protobuf/util/json_util.h"

namespace hydra {
namespace {

std::string ToJson(const google::protobuf::Message& message, bool pretty) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = pretty;
  options.preserve_proto_field_names = true;
  options.always_print_primitive_fields = true;
  std::string json;
  const auto status =
      google::protobuf::util::MessageToJsonString(message, &json, options);
  CHECK(status.ok()) << status.ToString();
  return json;
}

}  // namespace

std::string JsonLine(const google::protobuf::Message& message) {
  return ToJson(message, /*pretty=*/false) + "\n";
}

std::string JsonText(const google::protobuf::Message& message) {
  return ToJson(message, /*pretty=*/true);
}

}  // namespace hydra
