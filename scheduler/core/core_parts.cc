#include "scheduler/core/core_parts.h"

#include <utility>

namespace hydra {

CoreParts::CoreParts(CoreOptions core_options, Policy* policy,
                     Journal* core_journal)
    : options(std::move(core_options)),
      journal(core_journal),
      shares(policy, options.shares),
      share_recorder(&shares, journal),
      book(journal, &actions),
      queue(&shares, &book),
      blocks(options.pool_first_byte, options.pool_bytes,
             FirstNumber(options.generation)),
      admission(PromisedBytes(options), options.devices.size(),
                options.lookahead),
      quotas(options.quotas),
      claims(&options, &queue),
      bases({&queue, &blocks, journal}),
      roster(&options, &book, &queue, journal, &actions),
      drains(&roster, journal),
      archive(&options, &book, journal),
      intake(options.first_job, journal, &models),
      checkpoints(&options, &book, &queue, &blocks, journal, &actions),
      hands({&options, &book, &blocks, &admission, &roster, journal, &actions,
             &shares},
            FirstNumber(options.generation)),
      start({&book, &queue, &blocks, &admission, &models, &claims, &bases,
             &roster, journal, &quotas}),
      life({&options, &book, &queue, &blocks, &admission, &claims, &bases,
            &archive, &checkpoints, &start, journal, &actions, &quotas}),
      reclaimer({&options, &book, &queue, &quotas, &life},
                PromisedBytes(options)),
      results({&options, &book, &roster, &hands, &claims, &bases, &checkpoints,
               &start, &life, journal, &actions}),
      events({&options, &book, &roster, &hands, &results, &life, journal,
              &actions}),
      dispatcher(
          {&book, &queue, &roster, &hands, &checkpoints, &blocks, &bases}),
      explainer(
          {&options, &book, &queue, &blocks, &roster, &hands, &checkpoints}) {}

}  // namespace hydra
