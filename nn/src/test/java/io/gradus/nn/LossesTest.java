package io.gradus.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gradus.autograd.Variable;
import java.util.List;
import org.junit.jupiter.api.Test;

class LossesTest {

    @Test
    void theMeanSquaredErrorIsTheMeanOfTheSquaredDifferences() {
        Variable prediction = Variable.parameter("prediction", Given.random(1, 3, 5));
        Variable target = Variable.parameter("target", Given.random(2, 3, 5));
        Formula formula = v -> {
            double sum = 0;
            for (int i = 0; i < 15; i++) {
                sum += (v[0][i] - v[1][i]) * (v[0][i] - v[1][i]);
            }
            return new double[] {sum / 15};
        };
        formula.assertAgrees(() -> Losses.mseLoss(prediction, target), List.of(prediction, target));
    }

    @Test
    void nextTokensAreTheLabelsShiftedWithinEachRow() {
        int[] labels = {1, -100, 3, 4, 5, 6};
        assertThat(Losses.shiftLabels(labels, 3)).containsExactly(-100, 3, -100, 5, 6, -100);
        assertThat(labels).as("left as they were").containsExactly(1, -100, 3, 4, 5, 6);
        assertThat(Losses.shiftLabels(new int[] {7, 8}, 1)).containsExactly(-100, -100);
        assertThat(Losses.shiftLabels(new int[0], 3)).isEmpty();
    }

    @Test
    void labelsThatAreNotWholeRowsAreRefused() {
        assertThatThrownBy(() -> Losses.shiftLabels(new int[5], 3))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("shiftLabels: 5 labels are not whole rows of length 3");
        assertThatThrownBy(() -> Losses.shiftLabels(new int[5], 0)).isInstanceOf(IllegalArgumentException.class);
    }
}
