/**
 * libtorch, PyTorch's C++ library, through the JavaCPP bindings. Networks and training steps are written as in C++, with libtorch's
 * modules and operations.
 */
@NullMarked
package io.gradus.bench.libtorch;

import org.jspecify.annotations.NullMarked;
