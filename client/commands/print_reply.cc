#include "client/commands/print_reply.h"

#include "client/render/json.h"
#include "common/text/printable.h"

namespace hydra {

void PrintReply(const CliContext& context, OutputFormat format,
                const google::protobuf::Message& reply,
                absl::FunctionRef<std::string()> table,
                absl::FunctionRef<std::vector<std::string>()> ids) {
  switch (format) {
    case OutputFormat::kTable:
      *context.out << table();
      break;
    case OutputFormat::kJson:
      *context.out << JsonText(reply);
      break;
    case OutputFormat::kId:
      for (const std::string& id : ids()) {
        *context.out << Printable(id) << "\n";
      }
      break;
  }
}

std::vector<std::string> IdsOf(
    const google::protobuf::RepeatedPtrField<v1::JobStatus>& jobs) {
  std::vector<std::string> ids;
  for (const v1::JobStatus& job : jobs) ids.push_back(job.job_id());
  return ids;
}

}  // namespace hydra
