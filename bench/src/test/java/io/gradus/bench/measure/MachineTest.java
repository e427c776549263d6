package io.gradus.bench.measure;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class MachineTest {

    @Test
    void processorNameIncludesFamilyAndModel() {
        String text = "processor\t: 0\ncpu family\t: 6\nmodel\t\t: 143\nmodel name\t: Some Processor\n";

        assertThat(Machine.processorName(text)).isEqualTo("Some Processor (family 6 model 143)");
    }

    @Test
    void processorWithoutNameIsItsArchitecture() {
        assertThat(Machine.processorName("BogoMIPS : 50.00")).isEqualTo(System.getProperty("os.arch"));
    }

    @Test
    void thisMachineHasProcessorsAndAJdk() {
        Machine here = Machine.here();

        assertThat(here.processors()).isPositive();
        assertThat(here.jdk()).startsWith(Runtime.version().toString());
    }
}
