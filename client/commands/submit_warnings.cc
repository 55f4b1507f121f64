#include "client/commands/submit_warnings.h"

#include "client/render/format.h"
#include "common/text/printable.h"

namespace hydra {

void PrintWarnings(
    const CliContext& context,
    const google::protobuf::RepeatedPtrField<std::string>& warnings) {
  for (const std::string& warning : warnings) {
    *context.err << "hydra: warning: " << Printable(warning) << "\n";
  }
  context.err->flush();
}

}  // namespace hydra
