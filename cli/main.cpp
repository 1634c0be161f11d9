// SPDX-License-Identifier: BSD-2-Clause
#include <cstdio>

int main() {
  std::puts("nvmfctl 0.1.0");
  return 0;
}
