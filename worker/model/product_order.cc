#include "worker/model/product_order.h"

#include <cstdlib>

namespace hydra {

void FixProductOrder() { setenv("MKL_CBWR", "AUTO,STRICT", /*overwrite=*/1); }

}  // namespace hydra
