#include "common/safetensors/weight_index.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/safetensors/json_events.h"
#include "common/text/printable.h"

namespace hydra::safetensors {
namespace {

constexpr size_t kMaxFileNameBytes = 255;

bool IsPlainFileName(absl::string_view name) {
  return !name.empty() && name.size() <= kMaxFileNameBytes && name != "." &&
         name != ".." && std::none_of(name.begin(), name.end(), [](char c) {
           return c == '/' || absl::ascii_iscntrl(c);
         });
}

class IndexHandler : public JsonHandler {
 public:
  bool found() const { return found_; }
  std::map<std::string, std::string> Take() { return std::move(weight_map_); }

  absl::Status OnScalar(JsonScalar value) override {
    if (!in_weight_map_) return CheckNotWeightMap();
    if (value.kind != JsonScalar::Kind::kString) {
      return Wrong("expected a file name");
    }
    if (!IsPlainFileName(value.text)) {
      return Wrong(absl::StrCat(Quoted(value.text),
                                " is not a plain name of a file in the model's "
                                "directory"));
    }
    if (!weight_map_.emplace(key_, std::move(value.text)).second) {
      return Wrong("comes twice");
    }
    return absl::OkStatus();
  }

  absl::Status OnBegin(JsonContainer container) override {
    ++depth_;
    if (in_weight_map_) return Wrong("expected a file name");
    if (container == JsonContainer::kArray) return CheckNotWeightMap();
    if (depth_ == 2 && key_ == "weight_map") {
      if (found_) return absl::InvalidArgumentError("weight_map comes twice");
      in_weight_map_ = found_ = true;
    }
    return absl::OkStatus();
  }

  absl::Status OnKey(std::string key) override {
    if (depth_ == 1 || in_weight_map_) key_ = std::move(key);
    return absl::OkStatus();
  }

  absl::Status OnEnd() override {
    --depth_;
    in_weight_map_ = false;
    return absl::OkStatus();
  }

 private:
  absl::Status Wrong(absl::string_view why) const {
    return absl::InvalidArgumentError(
        absl::StrCat("weight_map entry ", Quoted(key_), ": ", why));
  }

  // A value just met, which is no object, must not be the weight_map's.
  absl::Status CheckNotWeightMap() const {
    if (key_ != "weight_map") return absl::OkStatus();
    return absl::InvalidArgumentError("weight_map must be an object");
  }

  std::map<std::string, std::string> weight_map_;
  std::string key_;  // the last one of the top or of weight_map
  int depth_ = 0;
  bool in_weight_map_ = false;
  bool found_ = false;
};

}  // namespace

absl::StatusOr<std::map<std::string, std::string>> ParseWeightIndex(
    absl::string_view json) {
  IndexHandler handler;
  absl::Status status = ReadJsonObject(json, /*first_byte=*/0, &handler);
  if (!status.ok()) return status;
  if (!handler.found()) {
    return absl::InvalidArgumentError("there is no weight_map");
  }
  return handler.Take();
}

}  // namespace hydra::safetensors
