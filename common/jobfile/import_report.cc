#include "common/jobfile/import_report.h"

#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/text/printable.h"

namespace hydra {
namespace {

using Fate = ImportedKey::Fate;

constexpr char kInAnyCase[] =
    R"(In any case:
  a step has the sequences of one device: where the tool ran on N, write N times
    the train.gradient_accumulation_steps for the same step
  files are one row of tokens, cut into windows of train.context_length: there
    is no padding, and a window may hold the end of one text and the next, whose
    tokens see each other
  an eos_token stands behind the text of each row, and no bos_token before it
  the windows behind an epoch's last whole step are left out
)";

std::string Lines(const ImportedJob& job, Fate fate, absl::string_view title) {
  std::string lines;
  for (const ImportedKey& key : job.keys) {
    if (key.fate != fate) continue;
    absl::StrAppend(&lines, "  ",
                    key.line == 0 ? "not in the file: "
                                  : absl::StrCat("line ", key.line, ": "),
                    PrintableStart(key.key),
                    key.field.empty() ? "" : absl::StrCat(" -> ", key.field),
                    ": ", Printable(key.what), "\n");
  }
  return lines.empty() ? "" : absl::StrCat(title, ":\n", lines);
}

std::string MistakeLines(const ImportedJob& job) {
  std::string lines;
  for (const Mistake& mistake : job.mistakes) {
    absl::StrAppend(&lines, "  ", Printable(mistake.field()),
                    mistake.field().empty() ? "" : ": ",
                    Printable(mistake.description()), "\n");
  }
  return lines.empty() ? ""
                       : absl::StrCat(
                             "Wrong or missing; write it into the job "
                             "file before it is submitted:\n",
                             lines);
}

}  // namespace

bool TrainsAnother(const ImportedJob& job) {
  return absl::c_any_of(
      job.keys, [](const ImportedKey& key) { return key.fate == Fate::kLost; });
}

std::string ImportReport(const ImportedJob& job) {
  return absl::StrCat(
      "Read as a configuration of ", job.tool, ".\n", MistakeLines(job),
      Lines(
          job, Fate::kLost,
          "No counterpart: the result is another, or something is to be done"),
      Lines(job, Fate::kTaken, "Understood"),
      Lines(job, Fate::kAssumed,
            absl::StrCat("Assumed, since ", job.tool, " does it so")),
      Lines(job, Fate::kLeftOut, "Left out: what is trained is the same"),
      kInAnyCase);
}

std::string ImportedYaml(const ImportedJob& job) {
  std::string text = JobYaml(job.fields);
  const std::string report = ImportReport(job);
  for (absl::string_view line : absl::StrSplit(report, '\n')) {
    absl::StrAppend(&text, line.empty() ? "" : absl::StrCat("# ", line, "\n"));
  }
  return text;
}

}  // namespace hydra
