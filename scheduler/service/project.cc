#include "scheduler/service/project.h"

#include "absl/strings/str_cat.h"
#include "common/jobfile/mistakes.h"
#include "common/text/printable.h"
#include "scheduler/service/accounts.h"

namespace hydra {
namespace {

absl::Status Mistaken(const std::string& what) {
  Mistakes mistakes;
  AddMistake("project", what, &mistakes);
  return ToStatus(mistakes);
}

}  // namespace

absl::StatusOr<std::optional<gid_t>> FindProject(const Caller& caller,
                                                 const std::string& project) {
  if (project.empty()) return std::nullopt;
  if (caller == Caller()) {
    return Mistaken(absl::StrCat(
        "found ", Quoted(project),
        ", but nobody can tell in which groups you are, who come by TCP: "
        "remove it, or use the unix socket"));
  }
  const absl::StatusOr<gid_t> group = FindGroup(project);
  if (absl::IsNotFound(group.status())) {
    return Mistaken(
        absl::StrCat("there is no group ", Quoted(project), " on the server"));
  }
  if (!group.ok()) return group.status();
  if (!caller.is_in(*group)) {
    return Mistaken(absl::StrCat("you are not in the group ", Quoted(project),
                                 "; if you were added to it, log in again"));
  }
  return *group;
}

}  // namespace hydra
