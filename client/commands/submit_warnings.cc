#include "client/commands/submit_warnings.h"

#include "client/render/format.h"
#include "common/text/printable.h"

namespace hydra {

void PrintWarnings(const CliContext& context,
                   const v1::SubmitResponse& response) {
  for (const std::string& warning : response.warnings()) {
    *context.err << "hydra: warning: " << Printable(warning) << "\n";
  }
  context.err->flush();
}

}  // namespace hydra
