#include "worker/data/image/image_cache.h"

#include <cstdint>
#include <optional>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/types/span.h"
#include "common/checkpoint/plain_file.h"
#include "common/file/file.h"
#include "common/file/file_access.h"
#include "common/file/private_places.h"
#include "common/hash/sha256.h"
#include "common/image/split_folder.h"
#include "common/safetensors/dtype.h"
#include "common/text/printable.h"
#include "worker/data/example_file.h"
#include "worker/data/image/class_pictures.h"
#include "worker/data/image/image_decoder.h"
#include "worker/data/image/image_transform.h"
#include "worker/data/posix_file.h"

namespace hydra {
namespace {

// Raise the number with any change of the file's layout, or of any number that
// is made of a picture.
constexpr absl::string_view kOutputVersion = "hydra images 1";

absl::Status Prefixed(const std::string& where, const absl::Status& status) {
  return absl::Status(status.code(),
                      absl::StrCat(where, " ", status.message()));
}

// Names of files may have any bytes, and messages go on as UTF-8.
absl::Status Printed(const absl::Status& status) {
  return absl::Status(status.code(), PrintableLines(status.message()));
}

std::string DigestOf(absl::string_view file) {
  Sha256 sha;
  sha.Update(file);
  return sha.Finish();
}

// The text of the model's image processor, if it has one.
absl::StatusOr<std::optional<std::string>> ReadProcessor(
    const std::string& path, const FileAccess& access) {
  const absl::StatusOr<UniqueFd> file = OpenJobFile(path, access);
  if (absl::IsNotFound(file.status())) return std::nullopt;
  if (!file.ok()) return file.status();
  absl::StatusOr<std::string> text =
      ReadPlainFile(*file, path, kMaxImageProcessorBytes);
  if (!text.ok()) return text.status();
  return *std::move(text);
}

absl::StatusOr<ClassNumbers> ReadClasses(
    absl::string_view config_json, const std::vector<std::string>& folders,
    const FileAccess& access, const ExampleInput& input) {
  const absl::StatusOr<ClassNumbers> named =
      ClassNamesOf(config_json, input.class_count);
  if (!named.ok()) return named.status();
  std::vector<SplitFolder> splits;
  for (const std::string& folder : folders) {
    absl::StatusOr<SplitFolder> split = ReadSplitFolder(folder, access);
    if (!split.ok()) return split.status();
    splits.push_back(*std::move(split));
  }
  absl::StatusOr<ClassNumbers> classes =
      ClassesOfFolders(*named, ClassesOf(splits), input.class_count);
  if (classes.ok()) return classes;
  return Prefixed(absl::StrCat(absl::StrJoin(folders, ", "), ":"),
                  classes.status());
}

// The pictures of a split, and what they are.
class SplitPictures {
 public:
  // Lists all of them.
  static absl::StatusOr<SplitPictures> List(const ImageRequest& request,
                                            TaskControl& control) {
    SplitPictures split(request);
    for (const std::string& folder : request.folders) {
      absl::Status listed = split.AddFolder(folder, control);
      if (!listed.ok()) return listed;
    }
    return split;
  }

  int64_t count() const { return count_; }
  // In the order in which they are read.
  const std::vector<ClassPictures>& classes() const { return classes_; }
  const OtherEntries& others() const { return others_; }

  // Hands each picture's file, in order, to `take`, with its path and its
  // class's number.
  absl::Status Read(
      TaskControl& control,
      absl::FunctionRef<absl::Status(const std::string& path, int64_t number,
                                     absl::string_view file)>
          take) const {
    for (const ClassPictures& pictures : classes_) {
      absl::Status read = ReadPictures(
          pictures, access_,
          [&](const std::string& name, absl::string_view file) {
            if (absl::Status on = control.Advance(); !on.ok()) return on;
            return take(pictures.PathOf(name), pictures.number, file);
          });
      if (!read.ok()) return read;
    }
    return absl::OkStatus();
  }

 private:
  explicit SplitPictures(const ImageRequest& request)
      : numbers_(&request.reading.classes), access_(request.access) {}

  absl::Status AddFolder(const std::string& path, TaskControl& control) {
    const absl::StatusOr<SplitFolder> folder = ReadSplitFolder(path, access_);
    if (!folder.ok()) return folder.status();
    absl::Status known = CheckFoldersAreClasses(folder->classes, *numbers_);
    if (!known.ok()) return Prefixed(absl::StrCat(path, ":"), known);
    others_.Add(folder->others.count, folder->others.first);
    for (const std::string& name : folder->classes) {
      if (absl::Status on = control.Advance(); !on.ok()) return on;
      absl::StatusOr<ClassPictures> pictures = ListPictures(
          absl::StrCat(path, "/", name), numbers_->at(name), access_, &others_);
      if (!pictures.ok()) return pictures.status();
      count_ += static_cast<int64_t>(pictures->names.size());
      classes_.push_back(*std::move(pictures));
    }
    return absl::OkStatus();
  }

  const ClassNumbers* numbers_;
  FileAccess access_;
  std::vector<ClassPictures> classes_;
  int64_t count_ = 0;
  OtherEntries others_;
};

// A digest of kDigestBytes for each picture, one behind the other: there may be
// millions.
absl::StatusOr<std::string> DigestsOf(const SplitPictures& pictures,
                                      TaskControl& control) {
  std::string digests;
  absl::Status read = pictures.Read(
      control,
      [&](const std::string& path, int64_t number, absl::string_view file) {
        digests.append(DigestOf(file));
        return absl::OkStatus();
      });
  if (!read.ok()) return read;
  return digests;
}

// Of each picture its class and its digest, in order; not its name, which means
// nothing.
std::string KeyOf(const ImageRequest& request, const SplitPictures& pictures,
                  absl::string_view digests) {
  Sha256 sha;
  sha.Update(absl::StrCat(kOutputVersion, " [",
                          absl::StrJoin(request.input.shape, ", "), "] of ",
                          request.input.class_count, " classes, ",
                          TextOf(request.reading.processing), "\n"));
  for (const ClassPictures& one : pictures.classes()) {
    for (size_t i = 0; i < one.names.size(); ++i) {
      sha.Update(absl::StrCat(one.number, " "));
      sha.Update(digests.substr(0, Sha256::kDigestBytes));
      digests.remove_prefix(Sha256::kDigestBytes);
    }
  }
  return absl::BytesToHexString(sha.Finish());
}

// Pictures in which a decoder passed over damage.
struct Damage {
  int64_t count = 0;
  // "PATH: what the decoder says"
  std::string first;
};

absl::Status Write(const ImageRequest& request, const SplitPictures& pictures,
                   absl::string_view digests, PosixFile* file, Damage* damage,
                   TaskControl& control) {
  const ImageTransform transform(
      request.reading.processing,
      {request.input.shape[1], request.input.shape[2]});
  ExampleHeader header;
  header.dtype = safetensors::Dtype::kU8;
  header.element_count = request.input.element_count();
  header.values = transform.Values();
  ExampleWriter writer(std::move(header), file);
  absl::Status status = writer.Begin(pictures.count());
  if (!status.ok()) return status;
  std::vector<uint8_t> numbers(request.input.element_count());
  std::string record;
  status = pictures.Read(control, [&](const std::string& path, int64_t number,
                                      absl::string_view bytes) {
    if (DigestOf(bytes) != digests.substr(0, Sha256::kDigestBytes)) {
      return absl::FailedPreconditionError(
          absl::StrCat(path, " changed while it was read"));
    }
    digests.remove_prefix(Sha256::kDigestBytes);
    const absl::StatusOr<DecodedImage> decoded = DecodeImage(bytes);
    if (!decoded.ok()) return Prefixed(path, decoded.status());
    if (!decoded->damage.empty() && damage->count++ == 0) {
      damage->first = absl::StrCat(path, ": ", decoded->damage);
    }
    absl::Status made =
        transform.Apply(decoded->image, absl::MakeSpan(numbers));
    if (!made.ok()) return Prefixed(path, made);
    record.assign(reinterpret_cast<const char*>(&number), sizeof(number));
    record.append(reinterpret_cast<const char*>(numbers.data()),
                  numbers.size());
    return writer.Append(record, 1);
  });
  return status.ok() ? writer.Finish() : status;
}

std::vector<std::string> WarningsOf(const OtherEntries& others,
                                    const Damage& damage) {
  std::vector<std::string> warnings;
  if (others.count > 0) {
    warnings.push_back(absl::StrCat(
        "entries of the folders that are no .jpg, .jpeg or .png file of a "
        "class, and are not read: ",
        others.count, "; the first is ", Printable(others.first)));
  }
  if (damage.count > 0) {
    warnings.push_back(absl::StrCat(
        "damaged pictures, trained on as far as they can be seen: ",
        damage.count, "; the first is ", Printable(damage.first)));
  }
  return warnings;
}

}  // namespace

absl::StatusOr<ImageReading> ReadImageReading(
    const std::string& model_dir, absl::string_view config_json,
    const std::vector<std::string>& train_folders, const FileAccess& access,
    const ExampleInput& input) {
  const std::string path = absl::StrCat(model_dir, "/", kImageProcessorFile);
  const auto text = ReadProcessor(path, access);
  if (!text.ok()) return text.status();
  const absl::StatusOr<ParsedImageProcessing> parsed = ParseImageProcessing(
      text->has_value() ? std::optional<absl::string_view>(**text)
                        : std::nullopt,
      input);
  if (!parsed.ok()) {
    return Prefixed(absl::StrCat(path, ":"), parsed.status());
  }
  absl::StatusOr<ClassNumbers> classes =
      ReadClasses(config_json, train_folders, access, input);
  if (!classes.ok()) return classes.status();
  return ImageReading{*std::move(classes), parsed->processing};
}

absl::StatusOr<PreparedExamples> PrepareImages(const ImageRequest& request,
                                               TaskControl& control) {
  if (request.folders.empty()) {
    return absl::InvalidArgumentError("the data set has no folders");
  }
  const absl::StatusOr<SplitPictures> pictures =
      SplitPictures::List(request, control);
  if (!pictures.ok()) return Printed(pictures.status());
  const absl::StatusOr<std::string> digests = DigestsOf(*pictures, control);
  if (!digests.ok()) return Printed(digests.status());
  Damage damage;
  absl::StatusOr<PreparedExamples> prepared = FindOrMakeExamples(
      request.cache_dir, KeyOf(request, *pictures, *digests), control,
      [&](PosixFile& file) {
        return Write(request, *pictures, *digests, &file, &damage, control);
      });
  if (!prepared.ok()) return Printed(prepared.status());
  prepared->warnings = WarningsOf(pictures->others(), damage);
  return prepared;
}

}  // namespace hydra
