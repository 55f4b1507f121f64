#include "common/checkpoint/manifest_file.h"

#include <set>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/checkpoint/plain_file.h"
#include "common/checkpoint/tensor_sum.h"
#include "common/json/python_json.h"
#include "common/text/printable.h"
#include "google/protobuf/util/json_util.h"

namespace hydra {
namespace {

using checkpoint::v1::FileSum;
using checkpoint::v1::Manifest;
using checkpoint::v1::Position;

absl::Status CheckPosition(const Position& position) {
  if (position.step() >= 0 && position.task() >= 0 && position.split() >= 0 &&
      position.first_batch() >= 0) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "position: negative numbers, in ", position.ShortDebugString()));
}

absl::Status CheckCutPoints(const Manifest& manifest) {
  int before = 0;
  for (const int cut : manifest.cut_points()) {
    if (cut <= before) {
      return absl::InvalidArgumentError(
          absl::StrCat("cut_points: ", cut, " follows ", before));
    }
    before = cut;
  }
  return absl::OkStatus();
}

absl::Status CheckFiles(const Manifest& manifest) {
  std::set<std::string> names;
  for (const FileSum& file : manifest.files()) {
    if (!IsPlainName(file.name()) || !names.insert(file.name()).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("files: ", Quoted(file.name()),
                       " is not a plain name, or comes twice"));
    }
    if (file.bytes() < 0) {
      return absl::InvalidArgumentError(absl::StrCat(
          "files: ", Quoted(file.name()), " has ", file.bytes(), " B"));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckManifest(const Manifest& manifest) {
  if (manifest.format() != kCheckpointFormat) {
    return absl::InvalidArgumentError(
        absl::StrCat("format ", manifest.format(),
                     ", this program reads format ", kCheckpointFormat));
  }
  absl::Status status = CheckPosition(manifest.position());
  if (status.ok()) status = CheckCutPoints(manifest);
  if (status.ok()) status = CheckFiles(manifest);
  return status;
}

absl::StatusOr<Manifest> ParseManifest(const std::string& json) {
  Manifest manifest;
  const auto parsed =
      google::protobuf::util::JsonStringToMessage(json, &manifest);
  if (!parsed.ok()) {
    const absl::StatusOr<std::string> strict = StrictJson(json);
    if (!strict.ok()) return strict.status();
    return absl::InvalidArgumentError(
        "not a manifest: it has keys or values that no manifest has");
  }
  absl::Status status = CheckManifest(manifest);
  if (!status.ok()) return status;
  return manifest;
}

absl::StatusOr<std::string> ManifestJson(const Manifest& manifest) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  options.preserve_proto_field_names = true;
  std::string json;
  const auto printed =
      google::protobuf::util::MessageToJsonString(manifest, &json, options);
  if (!printed.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the manifest has no JSON form: ", printed.ToString()));
  }
  if (json.size() > kMaxManifestBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("the manifest has ", json.size(), " B, at most ",
                     kMaxManifestBytes, " B are allowed"));
  }
  return json;
}

std::string SumLine(const std::string& json) {
  return absl::StrCat(SumText(SumOf(json)), "\n");
}

absl::StatusOr<std::string> ReadSmallFile(const FileOpener& opener,
                                          const std::string& name) {
  const auto fd = opener.Open(name);
  if (!fd.ok()) return fd.status();
  return ReadPlainFile(*fd, opener.PathOf(name), kMaxManifestBytes);
}

}  // namespace

bool IsPlainName(const std::string& name) {
  return !name.empty() && name != "." && name != ".." &&
         name.find('/') == std::string::npos &&
         name.find('\0') == std::string::npos;
}

absl::StatusOr<int64_t> WriteManifest(const HeldDirectory& directory,
                                      const Manifest& manifest) {
  absl::Status status = CheckManifest(manifest);
  if (!status.ok()) return status;
  const absl::StatusOr<std::string> json = ManifestJson(manifest);
  if (!json.ok()) return json.status();
  const absl::StatusOr<FileSum> sum =
      WritePlainFile(directory, kManifestSumFile, SumLine(*json));
  if (!sum.ok()) return sum.status();
  const absl::StatusOr<FileSum> file =
      WritePlainFile(directory, kManifestFile, *json);
  if (!file.ok()) return file.status();
  return sum->bytes() + file->bytes();
}

absl::StatusOr<Manifest> ReadManifest(const FileOpener& opener) {
  const absl::StatusOr<std::string> json = ReadSmallFile(opener, kManifestFile);
  if (!json.ok()) return json.status();
  const absl::StatusOr<std::string> sum =
      ReadSmallFile(opener, kManifestSumFile);
  if (!sum.ok()) return sum.status();
  if (*sum != SumLine(*json)) {
    return absl::DataLossError(
        absl::StrCat(opener.PathOf(kManifestFile), " has the sum ",
                     SumText(SumOf(*json)), ", expected ", Quoted(*sum)));
  }
  absl::StatusOr<Manifest> manifest = ParseManifest(*json);
  if (manifest.ok()) return manifest;
  return absl::Status(manifest.status().code(),
                      absl::StrCat(opener.PathOf(kManifestFile), ": ",
                                   manifest.status().message()));
}

}  // namespace hydra
