#include "worker/data/image/class_pictures.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/file/file.h"
#include "common/file/private_places.h"
#include "common/image/folder_entries.h"
#include "common/text/printable.h"

namespace hydra {
namespace {

bool IsPicture(absl::string_view name) {
  for (const char* end : {".jpg", ".jpeg", ".png"}) {
    if (absl::EndsWithIgnoreCase(name, end)) return true;
  }
  return false;
}

absl::Status ReadInto(const UniqueFd& directory, const ClassPictures& pictures,
                      const std::string& name, const FileAccess& access,
                      std::string* file) {
  const absl::StatusOr<UniqueFd> fd =
      OpenJobFile(directory, pictures.path, name, access);
  if (!fd.ok()) return fd.status();
  const std::string path = pictures.PathOf(name);
  const absl::StatusOr<int64_t> bytes = FileBytes(*fd, path);
  if (!bytes.ok()) return bytes.status();
  if (*bytes > kMaxPictureBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, " has ", *bytes, " bytes; a picture has ",
                     kMaxPictureBytes, " at most"));
  }
  file->resize(*bytes);
  return ReadExactly(*fd, path, 0, *bytes, file->data());
}

}  // namespace

std::string ClassPictures::PathOf(const std::string& name) const {
  return absl::StrCat(path, "/", name);
}

absl::StatusOr<ClassPictures> ListPictures(const std::string& path,
                                           int64_t number,
                                           const FileAccess& access,
                                           OtherEntries* others) {
  const absl::StatusOr<UniqueFd> directory = OpenJobDirectory(path, access);
  if (!directory.ok()) return directory.status();
  absl::StatusOr<FolderEntries> entries =
      ReadFolderEntries(*directory, path, access.user);
  if (!entries.ok()) return entries.status();
  if (!entries->folders.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, " has the folder ", Quoted(entries->folders.front()),
                     " in it; a class's pictures lie in its folder itself"));
  }
  ClassPictures pictures{path, number, std::move(entries->files)};
  std::vector<std::string>& names = pictures.names;
  const auto end = std::stable_partition(
      names.begin(), names.end(),
      [](const std::string& name) { return IsPicture(name); });
  std::vector<std::string> rest(end, names.end());
  names.erase(end, names.end());
  for (const auto* other : {&rest, &entries->others}) {
    if (other->empty()) continue;
    others->Add(static_cast<int64_t>(other->size()),
                pictures.PathOf(other->front()));
  }
  if (names.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        path,
        " has no .jpg, .jpeg or .png file in it; remove the folder, or "
        "put its class's pictures there"));
  }
  return pictures;
}

absl::Status ReadPictures(const ClassPictures& pictures,
                          const FileAccess& access,
                          absl::FunctionRef<absl::Status(
                              const std::string& name, absl::string_view file)>
                              take) {
  const absl::StatusOr<UniqueFd> directory =
      OpenJobDirectory(pictures.path, access);
  if (!directory.ok()) return directory.status();
  std::string file;
  for (const std::string& name : pictures.names) {
    absl::Status status = ReadInto(*directory, pictures, name, access, &file);
    if (!status.ok()) return status;
    status = take(name, file);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace hydra
