#ifndef HYDRA_CLIENT_RENDER_DEVICE_TIME_H_
#define HYDRA_CLIENT_RENDER_DEVICE_TIME_H_

#include <string>

#include "hydra/v1/status.pb.h"

namespace hydra {

// Where the devices' time went that was given to these tasks, with the waits
// before them: "3m05s: 71% computing, 20% copies, ...". Empty where none is
// known.
std::string DeviceTimeText(const v1::JobTotals& totals);

// What these tasks' GPUs used: "12.3 kJ (3.4 Wh)". Empty where it is not known.
std::string EnergyText(const v1::JobTotals& totals);

}  // namespace hydra

#endif  // HYDRA_CLIENT_RENDER_DEVICE_TIME_H_
