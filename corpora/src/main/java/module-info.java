/** The built-in text and model. */
module io.gradus.corpora {
    requires jdk.compiler;
    requires static org.jspecify;

    exports io.gradus.corpora;
}
