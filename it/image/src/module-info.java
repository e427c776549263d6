module com.example.image {
    requires io.gradus.nn;
    requires io.gradus.optim;
}
