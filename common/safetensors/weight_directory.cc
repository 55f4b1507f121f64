#include "common/safetensors/weight_directory.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "common/file/file.h"
#include "common/file/file_access.h"
#include "common/file/file_format.h"
#include "common/file/private_places.h"
#include "common/safetensors/weight_index.h"
#include "common/text/printable.h"

namespace hydra::safetensors {
namespace {

constexpr char kSingleFile[] = "model.safetensors";
constexpr char kIndexFile[] = "model.safetensors.index.json";
// As much as a header may have: both list the tensors.
constexpr int64_t kMaxIndexBytes = kMaxHeaderBytes;

constexpr char kConvert[] =
    "which has to be converted: open it with transformers and call "
    "save_pretrained()";
// Weights that Hydra does not read, and what to do about it.
constexpr std::pair<const char*, const char*> kOtherWeights[] = {
    {"pytorch_model.bin", kConvert},
    {"pytorch_model.bin.index.json", kConvert},
    {"tf_model.h5", kConvert},
    {"flax_model.msgpack", kConvert},
    {"adapter_model.safetensors",
     "an adapter: merge it into its base model and save that"},
    {"model.ckpt.index", kConvert},
};

using WeightMap = std::map<std::string, std::string>;
using Files = std::vector<std::unique_ptr<const Reader>>;

// Opens files of one model directory, those that lie where they may.
class Opener {
 public:
  static absl::StatusOr<Opener> Make(const std::string& path,
                                     const WeightDirectoryOptions& options) {
    absl::StatusOr<UniqueFd> directory = OpenDirectory(path, options.user);
    if (!directory.ok()) return directory.status();
    if (!options.allowed_roots.empty()) {
      return Opener(path, *std::move(directory),
                    {options.user, RealRoots(options.allowed_roots)});
    }
    absl::StatusOr<std::string> real_path = RealPath(*directory);
    if (!real_path.ok()) return real_path.status();
    return Opener(path, *std::move(directory),
                  {options.user, {*std::move(real_path)}});
  }

  std::string PathOf(absl::string_view name) const {
    return absl::StrCat(path_, "/", name);
  }

  // For whoever has the weights in another format; empty if they are not there.
  std::string OtherWeights() const {
    for (const auto& [name, what] : kOtherWeights) {
      if (access_.user.OpenAt(directory_.get(), name, O_PATH).is_open()) {
        return absl::StrCat("; it has ", name, ", ", what);
      }
    }
    return "";
  }

  absl::StatusOr<UniqueFd> Open(const std::string& name) const {
    return OpenJobFile(directory_, path_, name, access_);
  }

  absl::StatusOr<std::unique_ptr<const Reader>> OpenReader(
      const std::string& name) const {
    absl::StatusOr<UniqueFd> fd = Open(name);
    if (!fd.ok()) return fd.status();
    absl::StatusOr<Reader> reader =
        Reader::FromFile(*std::move(fd), PathOf(name));
    if (!reader.ok()) return reader.status();
    return std::make_unique<const Reader>(*std::move(reader));
  }

 private:
  Opener(std::string path, UniqueFd directory, FileAccess access)
      : path_(std::move(path)),
        directory_(std::move(directory)),
        access_(std::move(access)) {}

  std::string path_;
  UniqueFd directory_;
  FileAccess access_;
};

absl::StatusOr<WeightMap> ReadIndex(const UniqueFd& fd,
                                    const std::string& path) {
  const absl::StatusOr<int64_t> bytes = FileBytes(fd, path);
  if (!bytes.ok()) return bytes.status();
  if (*bytes > kMaxIndexBytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        path, " has ", *bytes, " B, at most ", kMaxIndexBytes, " are allowed"));
  }
  std::string json(*bytes, '\0');
  absl::Status status = ReadExactly(fd, path, 0, *bytes, json.data());
  if (!status.ok()) return status;
  absl::StatusOr<WeightMap> weight_map = ParseWeightIndex(json);
  if (weight_map.ok()) return weight_map;
  const FileFormat* format = RecogniseFormat(json);
  if (format != nullptr && format->name != kJsonName) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, " is ", Describe(*format)));
  }
  return absl::Status(weight_map.status().code(),
                      absl::StrCat(path, ": ", weight_map.status().message()));
}

// What the index says of this file's tensors is true. It need not name all of
// them: transformers takes the others too.
absl::Status CheckAgainstIndex(const WeightMap& weight_map,
                               const std::string& file_name,
                               const Reader& file) {
  for (const TensorInfo& tensor : file.table().tensors()) {
    const auto entry = weight_map.find(tensor.name);
    if (entry == weight_map.end() || entry->second == file_name) continue;
    return absl::InvalidArgumentError(
        absl::StrCat(file.path(), " has tensor ", Quoted(tensor.name), ", ",
                     kIndexFile, " has it in ", entry->second));
  }
  return absl::OkStatus();
}

// No two files have a tensor of one name.
absl::Status CheckOnce(const Files& files) {
  absl::flat_hash_map<absl::string_view, const Reader*> owners;
  for (const std::unique_ptr<const Reader>& file : files) {
    for (const TensorInfo& tensor : file->table().tensors()) {
      const auto [owner, is_new] = owners.emplace(tensor.name, file.get());
      if (is_new) continue;
      return absl::InvalidArgumentError(absl::StrCat(
          file->path(), " and ", owner->second->path(), " both have tensor ",
          Quoted(tensor.name), ", and ", kIndexFile,
          " does not say which one "
          "is meant"));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<Files> OpenIndexed(const Opener& opener,
                                  const WeightMap& weight_map) {
  std::map<std::string, std::unique_ptr<const Reader>> files;
  for (const auto& [tensor, file_name] : weight_map) {
    std::unique_ptr<const Reader>& file = files[file_name];
    if (file == nullptr) {
      absl::StatusOr<std::unique_ptr<const Reader>> opened =
          opener.OpenReader(file_name);
      if (!opened.ok()) {
        return absl::Status(opened.status().code(),
                            absl::StrCat(kIndexFile, " entry ", Quoted(tensor),
                                         ": ", opened.status().message()));
      }
      file = *std::move(opened);
      absl::Status status = CheckAgainstIndex(weight_map, file_name, *file);
      if (!status.ok()) return status;
    }
    if (file->table().Find(tensor) == nullptr) {
      return absl::InvalidArgumentError(
          absl::StrCat(kIndexFile, " entry ", Quoted(tensor), ": ",
                       file->path(), " has no such tensor"));
    }
  }
  Files opened;
  for (auto& [name, file] : files) opened.push_back(std::move(file));
  absl::Status once = CheckOnce(opened);
  if (!once.ok()) return once;
  return opened;
}

absl::StatusOr<Files> OpenFiles(const std::string& path,
                                const WeightDirectoryOptions& options) {
  const absl::StatusOr<Opener> opener = Opener::Make(path, options);
  if (!opener.ok()) return opener.status();

  absl::StatusOr<std::unique_ptr<const Reader>> single =
      opener->OpenReader(kSingleFile);
  if (single.ok()) {
    Files files;
    files.push_back(*std::move(single));
    return files;
  }
  if (!absl::IsNotFound(single.status())) return single.status();

  const absl::StatusOr<UniqueFd> index = opener->Open(kIndexFile);
  if (absl::IsNotFound(index.status())) {
    return absl::NotFoundError(absl::StrCat(path, " has neither ", kSingleFile,
                                            " nor ", kIndexFile,
                                            opener->OtherWeights()));
  }
  if (!index.ok()) return index.status();
  const absl::StatusOr<WeightMap> weight_map =
      ReadIndex(*index, opener->PathOf(kIndexFile));
  if (!weight_map.ok()) return weight_map.status();
  return OpenIndexed(*opener, *weight_map);
}

bool NameBefore(const Weight& weight, absl::string_view name) {
  return weight.tensor->name < name;
}

}  // namespace

absl::StatusOr<WeightDirectory> WeightDirectory::Open(
    const std::string& path, const WeightDirectoryOptions& options) {
  absl::StatusOr<Files> files = OpenFiles(path, options);
  if (!files.ok()) return files.status();
  return WeightDirectory(path, *std::move(files));
}

WeightDirectory::WeightDirectory(std::string path, Files files)
    : path_(std::move(path)), files_(std::move(files)) {
  for (const std::unique_ptr<const Reader>& file : files_) {
    for (const TensorInfo& tensor : file->table().tensors()) {
      weights_.push_back({&tensor, file.get()});
    }
  }
  std::sort(weights_.begin(), weights_.end(),
            [](const Weight& a, const Weight& b) {
              return NameBefore(a, b.tensor->name);
            });
}

const Weight* WeightDirectory::Find(absl::string_view name) const {
  const auto found =
      std::lower_bound(weights_.begin(), weights_.end(), name, &NameBefore);
  if (found == weights_.end() || found->tensor->name != name) return nullptr;
  return &*found;
}

absl::StatusOr<const Reader*> WeightDirectory::FileOf(
    absl::string_view name) const {
  const Weight* weight = Find(name);
  if (weight != nullptr) return weight->file;
  return absl::NotFoundError(
      absl::StrCat(path_, " has no tensor ", Quoted(name)));
}

absl::Status WeightDirectory::Read(absl::string_view name, int64_t offset_bytes,
                                   int64_t bytes, void* to) const {
  const absl::StatusOr<const Reader*> file = FileOf(name);
  if (!file.ok()) return file.status();
  return (*file)->Read(name, offset_bytes, bytes, to);
}

absl::Status WeightDirectory::ReadAsFloat32(absl::string_view name,
                                            int64_t first_element,
                                            absl::Span<float> to) const {
  const absl::StatusOr<const Reader*> file = FileOf(name);
  if (!file.ok()) return file.status();
  return (*file)->ReadAsFloat32(name, first_element, to);
}

}  // namespace hydra::safetensors
