#include "scheduler/storage/partition_store.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/hash/fnv.h"
#include "glog/logging.h"
#include "google/protobuf/util/json_util.h"
#include "hydra/journal/v1/journal.pb.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;

}  // namespace

PartitionStore::PartitionStore(std::string directory)
    : directory_(std::move(directory)) {}

std::map<std::string, hydra::v1::Partition> PartitionStore::Load() const {
  std::map<std::string, hydra::v1::Partition> partitions;
  std::error_code error;
  for (fs::directory_iterator entry(directory_, error);
       !error && entry != fs::directory_iterator(); entry.increment(error)) {
    if (entry->path().extension() != ".json") continue;
    std::ifstream file(entry->path());
    const std::string text(std::istreambuf_iterator<char>(file), {});
    journal::v1::StoredPartition stored;
    if (!google::protobuf::util::JsonStringToMessage(text, &stored).ok() ||
        stored.key().empty() || !stored.has_partition()) {
      LOG(WARNING) << entry->path() << " holds no partition; ignored";
      continue;
    }
    partitions[stored.key()] = stored.partition();
  }
  return partitions;
}

absl::Status PartitionStore::Store(
    const std::string& key, const hydra::v1::Partition& partition) const {
  journal::v1::StoredPartition stored;
  stored.set_key(key);
  *stored.mutable_partition() = partition;
  std::string text;
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  options.preserve_proto_field_names = true;
  if (!google::protobuf::util::MessageToJsonString(stored, &text, options)
           .ok()) {
    return absl::InternalError("a partition has no JSON form");
  }
  const std::string path =
      absl::StrFormat("%s/%016x.json", directory_, Fnv1a(key));
  const std::string temporary = absl::StrCat(path, ".tmp");
  std::ofstream file(temporary);
  file << text;
  file.close();
  std::error_code error;
  fs::permissions(temporary, fs::perms::owner_read | fs::perms::owner_write,
                  error);
  if (file) fs::rename(temporary, path, error);
  if (!file || error) {
    return absl::InternalError(absl::StrCat("cannot write ", path));
  }
  return absl::OkStatus();
}

}  // namespace hydra
