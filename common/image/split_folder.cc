#include "common/image/split_folder.h"

#include <set>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/file/file.h"
#include "common/file/private_places.h"
#include "common/image/folder_entries.h"

namespace hydra {

void OtherEntries::Add(int64_t more, const std::string& path) {
  if (count == 0 && more > 0) first = path;
  count += more;
}

absl::StatusOr<SplitFolder> ReadSplitFolder(const std::string& path,
                                            const FileAccess& access) {
  const absl::StatusOr<UniqueFd> directory = OpenJobDirectory(path, access);
  if (!directory.ok()) return directory.status();
  absl::StatusOr<FolderEntries> entries =
      ReadFolderEntries(*directory, path, access.user);
  if (!entries.ok()) return entries.status();
  if (entries->folders.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        path,
        " has no folders in it; one for each class is needed, with that "
        "class's pictures"));
  }
  SplitFolder split;
  split.classes = std::move(entries->folders);
  for (const auto* names : {&entries->files, &entries->others}) {
    if (names->empty()) continue;
    split.others.Add(static_cast<int64_t>(names->size()),
                     absl::StrCat(path, "/", names->front()));
  }
  return split;
}

std::vector<std::string> ClassesOf(const std::vector<SplitFolder>& folders) {
  std::set<std::string> classes;
  for (const SplitFolder& folder : folders) {
    classes.insert(folder.classes.begin(), folder.classes.end());
  }
  return {classes.begin(), classes.end()};
}

}  // namespace hydra
