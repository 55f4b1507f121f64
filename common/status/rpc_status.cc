#include "common/status/rpc_status.h"

#include <string>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "common/jobfile/mistakes.h"
#include "google/rpc/status.pb.h"

namespace hydra {
namespace {

// Clients take 8 KiB of trailing metadata unless told otherwise; the message
// and the details both travel there, the first with its line ends escaped. The
// details have the message a second time.
constexpr size_t kMaxMessageBytes = 1500;
constexpr size_t kMaxMistakesBytes = 2500;

std::string Shortened(absl::string_view message) {
  if (message.size() <= kMaxMessageBytes) return std::string(message);
  const size_t line_end = message.rfind('\n', kMaxMessageBytes);
  const size_t end =
      line_end == absl::string_view::npos ? kMaxMessageBytes : line_end;
  return absl::StrCat(message.substr(0, end), "\n... and more");
}

Mistakes Shortened(const Mistakes& mistakes) {
  Mistakes shortened;
  size_t bytes = 0;
  for (size_t i = 0; i < mistakes.size(); ++i) {
    bytes += mistakes[i].ByteSizeLong();
    if (bytes > kMaxMistakesBytes) {
      shortened.emplace_back().set_description(
          absl::StrCat("and ", mistakes.size() - i, " more mistakes"));
      break;
    }
    shortened.push_back(mistakes[i]);
  }
  return shortened;
}

}  // namespace

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  google::rpc::Status rich;
  rich.set_code(static_cast<int>(status.code()));
  rich.set_message(Shortened(status.message()));
  ToStatus(Shortened(MistakesOf(status)))
      .ForEachPayload([&](absl::string_view url, const absl::Cord& payload) {
        google::protobuf::Any& detail = *rich.add_details();
        detail.set_type_url(std::string(url));
        detail.set_value(std::string(payload));
      });
  return {static_cast<grpc::StatusCode>(status.code()), rich.message(),
          rich.SerializeAsString()};
}

absl::Status FromGrpc(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  absl::Status plain(static_cast<absl::StatusCode>(status.error_code()),
                     status.error_message());
  google::rpc::Status rich;
  if (!rich.ParseFromString(status.error_details())) return plain;
  for (const google::protobuf::Any& detail : rich.details()) {
    plain.SetPayload(detail.type_url(), absl::Cord(detail.value()));
  }
  const Mistakes mistakes = MistakesOf(plain);
  return mistakes.empty() ? plain : ToStatus(mistakes);
}

}  // namespace hydra
