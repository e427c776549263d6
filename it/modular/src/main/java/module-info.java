import com.example.BigramFamily;
import io.gradus.nn.model.ModelFamily;

module com.example {
    requires io.gradus.data;
    requires io.gradus.nn;
    requires io.gradus.optim;
    requires io.gradus.train;

    provides ModelFamily with
            BigramFamily;
}
