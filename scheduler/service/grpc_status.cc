#include "scheduler/service/grpc_status.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "common/jobfile/mistakes.h"

namespace hydra {
namespace {

// Clients take 8 KiB of trailing metadata unless told otherwise; the message
// and the details both travel there, the first with its line ends escaped.
constexpr size_t kMaxMessageBytes = 2000;
constexpr size_t kMaxDetailsBytes = 4000;

std::string Shortened(absl::string_view message) {
  if (message.size() <= kMaxMessageBytes) return std::string(message);
  const size_t line_end = message.rfind('\n', kMaxMessageBytes);
  const size_t end =
      line_end == absl::string_view::npos ? kMaxMessageBytes : line_end;
  return absl::StrCat(message.substr(0, end), "\n... and more");
}

std::string Details(const Mistakes& mistakes) {
  hydra::v1::InvalidJob invalid;
  for (size_t i = 0; i < mistakes.size(); ++i) {
    *invalid.add_violations() = mistakes[i];
    if (invalid.ByteSizeLong() <= kMaxDetailsBytes) continue;
    hydra::v1::FieldViolation& last = *invalid.mutable_violations()->rbegin();
    last.clear_field();
    last.set_description(
        absl::StrCat("and ", mistakes.size() - i, " more mistakes"));
    break;
  }
  return mistakes.empty() ? "" : invalid.SerializeAsString();
}

}  // namespace

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  return {static_cast<grpc::StatusCode>(status.code()),
          Shortened(status.message()), Details(MistakesOf(status))};
}

}  // namespace hydra
