#include "common/status/rpc_status.h"

#include <algorithm>
#include <string>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "common/jobfile/mistakes.h"
#include "common/text/printable.h"
#include "google/rpc/status.pb.h"

namespace hydra {
namespace {

// Clients take 8 KiB of trailing metadata unless told otherwise. The message
// and the details both travel there: the message percent-encoded, and the
// details, which have the message a second time, in Base64.
constexpr size_t kMaxEncodedMessageBytes = 1500;
constexpr size_t kMaxMistakesBytes = 2500;
// What all other details together may take.
constexpr size_t kMaxOtherDetailsBytes = 600;
constexpr absl::string_view kBadRequestUrl =
    "type.googleapis.com/google.rpc.BadRequest";
// What a mistake takes in a list beside its own bytes, at most.
constexpr size_t kMistakeHeadBytes = 4;

size_t EncodedBytes(char c) { return c >= ' ' && c <= '~' && c != '%' ? 1 : 3; }

std::string Shortened(absl::string_view message) {
  size_t end = 0;
  for (size_t encoded = 0; end < message.size(); ++end) {
    encoded += EncodedBytes(message[end]);
    if (encoded > kMaxEncodedMessageBytes) break;
  }
  if (end == message.size()) return std::string(message);
  const size_t line_end = message.rfind('\n', end);
  return absl::StrCat(line_end == absl::string_view::npos
                          ? WholeCharacters(message, end)
                          : message.substr(0, line_end),
                      "\n... and more");
}

// Within `max_bytes`, which are enough for its field.
Mistake Shortened(Mistake mistake, size_t max_bytes) {
  const size_t bytes = mistake.ByteSizeLong();
  if (bytes <= max_bytes) return mistake;
  constexpr absl::string_view kEllipsis = "...";
  const absl::string_view description = mistake.description();
  const size_t others = bytes - description.size() + kEllipsis.size();
  mistake.set_description(absl::StrCat(
      WholeCharacters(description, max_bytes - std::min(max_bytes, others)),
      kEllipsis));
  return mistake;
}

// The first ones, and always the very first.
Mistakes Shortened(const Mistakes& mistakes) {
  Mistakes shortened;
  size_t bytes = 0;
  for (const Mistake& mistake : mistakes) {
    shortened.push_back(
        shortened.empty()
            ? Shortened(mistake, kMaxMistakesBytes - kMistakeHeadBytes)
            : mistake);
    bytes += shortened.back().ByteSizeLong() + kMistakeHeadBytes;
    if (bytes > kMaxMistakesBytes) {
      shortened.pop_back();
      shortened.push_back(MoreMistakes(mistakes.size() - shortened.size()));
      break;
    }
  }
  return shortened;
}

}  // namespace

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  google::rpc::Status rich;
  rich.set_code(static_cast<int>(status.code()));
  rich.set_message(Shortened(status.message()));
  const auto add = [&](absl::string_view url, const absl::Cord& payload) {
    google::protobuf::Any& detail = *rich.add_details();
    detail.set_type_url(std::string(url));
    detail.set_value(std::string(payload));
  };
  ToStatus(Shortened(MistakesOf(status))).ForEachPayload(add);
  size_t bytes = 0;
  status.ForEachPayload([&](absl::string_view url, const absl::Cord& payload) {
    const size_t more = url.size() + payload.size();
    if (url == kBadRequestUrl || bytes + more > kMaxOtherDetailsBytes) return;
    bytes += more;
    add(url, payload);
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
