#ifndef HYDRA_CLIENT_COMMANDS_COMMANDS_H_
#define HYDRA_CLIENT_COMMANDS_COMMANDS_H_

#include "client/commands/command.h"

namespace CLI {
class App;
}

namespace hydra {

// Each adds one verb, or a few of a kind, to `app`. docs/cli.md says what they
// do. `invocation` outlives `app`.

void AddSubmit(CLI::App* app, Invocation* invocation);
void AddClone(CLI::App* app, Invocation* invocation);
void AddPlan(CLI::App* app, Invocation* invocation);
void AddRun(CLI::App* app, Invocation* invocation);
void AddWatch(CLI::App* app, Invocation* invocation);
void AddWait(CLI::App* app, Invocation* invocation);
void AddTop(CLI::App* app, Invocation* invocation);
void AddList(CLI::App* app, Invocation* invocation);
void AddDescribe(CLI::App* app, Invocation* invocation);
void AddLogs(CLI::App* app, Invocation* invocation);
void AddMetrics(CLI::App* app, Invocation* invocation);
void AddResults(CLI::App* app, Invocation* invocation);
void AddDownload(CLI::App* app, Invocation* invocation);
void AddTrace(CLI::App* app, Invocation* invocation);
// priority, pause, resume, cancel and delete.
void AddTargetVerbs(CLI::App* app, Invocation* invocation);
// For operators.
void AddAudit(CLI::App* app, Invocation* invocation);
// drain and undrain, for operators, too.
void AddDrain(CLI::App* app, Invocation* invocation);
void AddImport(CLI::App* app, Invocation* invocation);
void AddUi(CLI::App* app, Invocation* invocation);
void AddCompletion(CLI::App* app, Invocation* invocation);
void AddMan(CLI::App* app, Invocation* invocation);
void AddDoctor(CLI::App* app, Invocation* invocation);
void AddProxy(CLI::App* app, Invocation* invocation);
// workers, info and version.
void AddServerVerbs(CLI::App* app, Invocation* invocation);

}  // namespace hydra

#endif  // HYDRA_CLIENT_COMMANDS_COMMANDS_H_
