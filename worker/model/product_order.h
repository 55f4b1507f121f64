#ifndef HYDRA_WORKER_MODEL_PRODUCT_ORDER_H_
#define HYDRA_WORKER_MODEL_PRODUCT_ORDER_H_

namespace hydra {

// Makes each sum in a matrix product of this process on the CPU add in an order
// of its own, however many threads compute the product and wherever its
// operands lie. LibTorch's products are Intel's MKL: this is its strict mode of
// "conditional numerical reproducibility", whose order is that of the newest
// instructions that the processor has. Without it the order depends on the
// number of threads, on some processors for large shapes too. Part of the
// arithmetic, see docs/exactness.md.
//
// Call it at the process's start, before its other threads, and before its
// first product, which reads the setting. Overrides MKL_CBWR of the
// environment.
void FixProductOrder();

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_PRODUCT_ORDER_H_
