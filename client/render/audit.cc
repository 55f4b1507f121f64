#include "client/render/audit.h"

#include "absl/strings/str_cat.h"
#include "client/render/format.h"
#include "client/render/table.h"

namespace hydra {
namespace {

// What an entry says of those that are not there.
std::string NoteOf(const v1::AuditEntry& entry) {
  std::string note;
  if (entry.more_refusals() > 0) {
    absl::StrAppend(&note, "after ", entry.more_refusals(),
                    " more refusals of this user");
  }
  if (entry.lost_entries() > 0) {
    absl::StrAppend(&note, note.empty() ? "" : "; ", entry.lost_entries(),
                    " lines before are lost");
  }
  return note;
}

}  // namespace

std::string RenderAudit(const v1::ListAuditResponse& response, int width,
                        bool color, absl::TimeZone zone) {
  Table table({{"TIME"},
               {"USER"},
               {"PID", true},
               {"CALL"},
               {"TARGET"},
               {"JOBS", true},
               {"RESULT"},
               {"", false, /*flexible=*/true}});
  for (const v1::AuditEntry& entry : response.entries()) {
    const bool is_ok = entry.result() == "OK";
    table.AddRow({TimeText(entry.time(), zone), entry.name(),
                  entry.pid() == 0 ? "-" : absl::StrCat(entry.pid()),
                  entry.rpc(), entry.target().empty() ? "-" : entry.target(),
                  is_ok ? absl::StrCat(entry.jobs()) : "-",
                  Cell(entry.result(), is_ok ? Style::kGreen : Style::kRed),
                  NoteOf(entry)});
  }
  return table.Render(width, color);
}

}  // namespace hydra
