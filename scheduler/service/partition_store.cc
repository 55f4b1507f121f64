#include "scheduler/service/partition_store.h"

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "glog/logging.h"
#include "google/protobuf/util/json_util.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;

// Names files; the key itself stands inside. (FNV-1a.)
uint64_t Hash(const std::string& key) {
  uint64_t hash = 0xcbf29ce484222325;
  for (unsigned char byte : key) hash = (hash ^ byte) * 0x100000001b3;
  return hash;
}

}  // namespace

PartitionStore::PartitionStore(std::string directory)
    : directory_(std::move(directory)) {}

absl::flat_hash_map<std::string, hydra::v1::Partition> PartitionStore::Load()
    const {
  absl::flat_hash_map<std::string, hydra::v1::Partition> partitions;
  std::error_code error;
  for (const fs::directory_entry& entry :
       fs::directory_iterator(directory_, error)) {
    if (entry.path().extension() != ".json") continue;
    std::ifstream file(entry.path());
    const nlohmann::json json =
        nlohmann::json::parse(file, nullptr, /*allow_exceptions=*/false);
    hydra::v1::Partition partition;
    if (!json.is_object() || !json.contains("key") ||
        !json["key"].is_string() || !json.contains("partition") ||
        !google::protobuf::util::JsonStringToMessage(json["partition"].dump(),
                                                     &partition)
             .ok()) {
      LOG(WARNING) << entry.path() << " holds no partition; ignored";
      continue;
    }
    partitions[json["key"].get<std::string>()] = std::move(partition);
  }
  return partitions;
}

absl::Status PartitionStore::Store(
    const std::string& key, const hydra::v1::Partition& partition) const {
  std::string text;
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  if (!google::protobuf::util::MessageToJsonString(partition, &text, options)
           .ok()) {
    return absl::InternalError("a partition has no JSON form");
  }
  nlohmann::ordered_json json;
  json["key"] = key;
  json["partition"] = nlohmann::ordered_json::parse(text);
  const std::string path =
      absl::StrFormat("%s/%016x.json", directory_, Hash(key));
  const std::string temporary = absl::StrCat(path, ".tmp");
  std::ofstream file(temporary);
  file << json.dump(2) << "\n";
  file.close();
  std::error_code error;
  if (file) fs::rename(temporary, path, error);
  if (!file || error) {
    return absl::InternalError(absl::StrCat("cannot write ", path));
  }
  return absl::OkStatus();
}

}  // namespace hydra
