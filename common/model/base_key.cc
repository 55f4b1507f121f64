#include "common/model/base_key.h"

#include <sys/stat.h>

#include <map>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/hash/sha256.h"

namespace hydra {
namespace {

std::string TimeText(const timespec& time) {
  return absl::StrCat(time.tv_sec, ".", time.tv_nsec);
}

// What a frozen block is, and what it is drawn from if it is.
std::string BlockText(const ParameterBlock& block) {
  std::string text;
  if (block.type != ElementType::kFloat32) {
    absl::StrAppend(&text, "type ", static_cast<int>(block.type), ";");
  }
  for (const TensorEntry& tensor : block.tensors) {
    absl::StrAppend(&text, tensor.name, " ", absl::StrJoin(tensor.shape, "x"),
                    " ", static_cast<int>(tensor.init.kind), " ",
                    tensor.init.standard_deviation, " ", tensor.init.bound,
                    ";");
  }
  return text;
}

}  // namespace

std::string IdentityOf(const safetensors::WeightDirectory& weights) {
  // By their paths: in one order, each once.
  std::map<std::string, const UniqueFd*> files;
  for (const safetensors::Weight& weight : weights.weights()) {
    files.emplace(weight.file->path(), &weight.file->fd());
  }
  std::string identity;
  for (const auto& [path, fd] : files) {
    // Of the file that is read, whatever has its name by now.
    struct stat file = {};
    if (fstat(fd->get(), &file) != 0) {
      absl::StrAppend(&identity, path, " cannot be examined;");
      continue;
    }
    absl::StrAppend(&identity, file.st_dev, " ", file.st_ino, " ", file.st_size,
                    " ", TimeText(file.st_mtim), " ", TimeText(file.st_ctim),
                    ";");
  }
  return identity;
}

std::string BaseKey(const hydra::v1::JobSpec& spec, const ModelTable& table,
                    absl::string_view weights) {
  std::string blocks;
  for (size_t i = 0; i < table.parameter_blocks.size(); ++i) {
    const ParameterBlock& block = table.parameter_blocks[i];
    if (block.frozen) absl::StrAppend(&blocks, i, ": ", BlockText(block), "\n");
  }
  if (blocks.empty()) return "";
  Sha256 hash;
  hash.Update(blocks);
  hash.Update(spec.model().init() == hydra::v1::INITIALIZATION_RANDOM
                  ? absl::StrCat("seed ", spec.train().seed())
                  : absl::StrCat("files ", weights));
  return absl::BytesToHexString(hash.Finish());
}

}  // namespace hydra
