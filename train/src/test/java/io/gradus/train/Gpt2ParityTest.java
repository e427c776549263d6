package io.gradus.train;

import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;

/** {@link ModelParity} of GPT-2. */
@ParameterizedClass
@ValueSource(strings = {"src/test/fixtures/gpt2/tied", "src/test/fixtures/gpt2/untied"})
class Gpt2ParityTest extends ModelParity {}
